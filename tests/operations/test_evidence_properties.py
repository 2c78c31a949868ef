"""Properties of evidence that hold for any input."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from operations.evidence import envelope as dsse
from operations.evidence import layout
from operations.evidence.bundle import Bundle, Manifest, ObjectVersion, file_of, read_bundle
from operations.evidence.canonical import compact_bytes, document_bytes
from operations.evidence.steps import TrustedKey
from operations.evidence.verify import Requirements, Step, verify_bundle
from tests.operations.support import KIND

# Surrogates can not be written as UTF-8.
text = st.text(st.characters(exclude_categories=["Cs"]))
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=20,
)
fixtures_are_not_changed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


class AlteredBundle(Bundle):
    """A bundle of which one version has other content."""

    def __init__(self, folder: Path, manifest: Manifest, altered: ObjectVersion, content: bytes) -> None:
        super().__init__(folder, manifest)
        self._altered = altered
        self._content = content

    def content(self, version: ObjectVersion) -> bytes | None:
        return self._content if version == self._altered else super().content(version)


@fixtures_are_not_changed
@given(data=st.data())
def test_any_flipped_bit_in_any_object_is_found(
    shared_bundle: Path, trusted: list[TrustedKey], data: st.DataObject
) -> None:
    bundle = read_bundle(shared_bundle)
    version = data.draw(st.sampled_from(bundle.manifest.versions))
    content = bytearray(bundle.content(version) or b"")
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    altered = AlteredBundle(bundle.folder, bundle.manifest, version, bytes(content))
    assert not verify_bundle(altered, trusted).passed


@fixtures_are_not_changed
@given(content=st.binary() | json_data.map(compact_bytes))
@example(content=b"[" * 200_000)
@example(content=b'{"payload":"","payloadType":"","signatures":[]}')
@example(content=b'{"payload":1,"payloadType":2,"signatures":3}')
def test_whatever_lies_in_a_records_place_is_a_failed_structure_and_no_crash(
    shared_bundle: Path, trusted: list[TrustedKey], content: bytes
) -> None:
    bundle = read_bundle(shared_bundle)
    record = next(v for v in bundle.manifest.versions if v.key == layout.record_key(KIND, 2))
    report = verify_bundle(AlteredBundle(bundle.folder, bundle.manifest, record, content), trusted)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.STRUCTURE


@pytest.mark.parametrize("left", [c for n in (1, 2) for c in combinations((1, 2, 3), n)])
def test_no_part_of_a_chain_passes_for_the_whole(
    shared_bundle: Path, trusted: list[TrustedKey], left: tuple[int, ...]
) -> None:
    bundle = read_bundle(shared_bundle)
    keys = {layout.record_key(KIND, n) for n in left}
    versions = tuple(
        v for v in bundle.manifest.versions if v.key in keys or layout.record_sequence(v.key) is None
    )
    part = Bundle(bundle.folder, bundle.manifest.model_copy(update={"versions": versions}))
    assert not verify_bundle(part, trusted, Requirements(expected_sequence=3)).passed


@given(json_data)
def test_equal_data_has_equal_bytes_and_reads_back(data: object) -> None:
    assert json.loads(document_bytes(data)) == data
    assert json.loads(compact_bytes(data)) == data
    again = json.loads(compact_bytes(data))
    assert compact_bytes(again) == compact_bytes(data)
    assert document_bytes(data).endswith(b"\n")


@given(st.integers(1, 10**10 - 1), st.integers(1, 10**10 - 1))
def test_record_keys_sort_as_their_sequences_do(one: int, other: int) -> None:
    assert layout.record_sequence(layout.record_key(KIND, one)) == one
    assert (one < other) == (layout.record_key(KIND, one) < layout.record_key(KIND, other))


@given(text, text)
@example("../../etc/passwd", "..")
@example("a//b/./..", "x" * 5000)
@example("", "")
def test_no_key_or_version_leads_out_of_a_bundle(key: str, version_id: str) -> None:
    folder = Path("/bundle/objects")
    path = Path("/bundle") / file_of(key, version_id)
    assert path.resolve().is_relative_to(folder)
    assert all(0 < len(part) <= 255 and part not in (".", "..") for part in path.parts[1:])


@given(st.binary(max_size=300))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        envelope = dsse.decode(data)
    except dsse.EnvelopeError:
        return
    assert dsse.encode(envelope) == data


@given(st.text())
def test_a_checked_name_is_a_single_harmless_part_of_a_key(name: str) -> None:
    try:
        layout.checked_name(name, "document")
    except ValueError:
        return
    assert name
    assert "/" not in name
    assert ".." not in name
