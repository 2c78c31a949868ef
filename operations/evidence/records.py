"""A bundle's records, read as far as they can be: the common ground of the verification steps."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from operations.evidence import envelope as dsse
from operations.evidence import layout
from operations.evidence.canonical import compact_bytes, sha256_hex
from operations.evidence.statement import Statement

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

    from operations.evidence.bundle import Bundle, DeleteMarker, ObjectVersion


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, and the record, by key, that it is wrong with."""

    record: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One place in a chain.

    Attributes:
        key: Key of the record.
        sequence: Place in the chain that the key names.
        versions: Its versions, oldest first; the oldest is the record, it was there before any other.
        delete_markers: Its delete markers.
        data: The record's bytes, None if they are missing.
        envelope: The decoded bytes, None if they are no envelope.
        statement: The signed content, None if it is no statement of ours.
        flaws: Why one of the three is None.
    """

    key: str
    sequence: int
    versions: tuple[ObjectVersion, ...]
    delete_markers: tuple[DeleteMarker, ...]
    data: bytes | None = None
    envelope: Envelope | None = None
    statement: Statement | None = None
    flaws: tuple[str, ...] = ()

    @property
    def version(self) -> ObjectVersion:
        """The version that counts."""
        return self.versions[0]

    @property
    def digest(self) -> str | None:
        """SHA-256 of the whole envelope."""
        return None if self.data is None else sha256_hex(self.data)


def read_records(bundle: Bundle) -> list[Record]:
    """All records of a bundle by sequence, also those of which only a delete marker is left.

    Raises:
        BundleError: The bundle's files can't be read.
    """
    versions: defaultdict[str, list[ObjectVersion]] = defaultdict(list)
    markers: defaultdict[str, list[DeleteMarker]] = defaultdict(list)
    for version in bundle.manifest.versions:
        versions[version.key].insert(0, version)
    for marker in bundle.manifest.delete_markers:
        markers[marker.key].append(marker)
    records = []
    for key in {**versions, **markers}:
        sequence = layout.record_sequence(key)
        if sequence is not None and key == layout.record_key(bundle.manifest.kind, sequence):
            records.append(_read(bundle, key, sequence, versions[key], markers[key]))
    return sorted(records, key=lambda record: record.sequence)


def _read(
    bundle: Bundle, key: str, sequence: int, versions: list[ObjectVersion], markers: list[DeleteMarker]
) -> Record:
    data = bundle.content(versions[0]) if versions else None
    envelope, statement, flaw = _parse(data, bundle.manifest.kind) if data is not None else (None, None, None)
    if versions and data is None:
        flaw = "its content is missing in the bundle"
    return Record(
        key=key,
        sequence=sequence,
        versions=tuple(versions),
        delete_markers=tuple(markers),
        data=data,
        envelope=envelope,
        statement=statement,
        flaws=(flaw,) if flaw else (),
    )


def _parse(data: bytes, kind: str) -> tuple[Envelope | None, Statement | None, str | None]:
    try:
        envelope = dsse.decode(data)
    except dsse.EnvelopeError as error:
        return None, None, str(error)
    try:
        content = json.loads(envelope.payload)
        canonical = compact_bytes(content) == envelope.payload
    except (ValueError, RecursionError) as error:
        return envelope, None, f"payload is not JSON: {error}"
    if not canonical:
        return envelope, None, "payload is not in canonical form"
    try:
        statement = Statement.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        return envelope, None, f"payload is no evidence statement: {where}: {first['msg']}"
    if statement.predicate.kind != kind:
        return envelope, None, f"is evidence of kind {statement.predicate.kind!r} among that of {kind!r}"
    return envelope, statement, None
