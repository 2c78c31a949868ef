"""Offline verification, steps 1 to 4: what a record says and names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.evidence import envelope as dsse
from operations.evidence import signing
from operations.evidence.bundle import read_bundle
from operations.evidence.canonical import compact_bytes
from operations.evidence.steps import TrustedKey
from operations.evidence.target import EvidenceTarget
from operations.evidence.verify import Outcome, Step, verify_bundle
from tests.operations.support import Night, edit_manifest
from tests.operations.tampering import failed, reasons, rewrite, signed_again


def test_an_untouched_chain_passes_all_six_steps(bundle: Path, trusted: list[TrustedKey]) -> None:
    report = verify_bundle(read_bundle(bundle), trusted)
    assert [r.outcome for r in report.results] == [Outcome.PASSED] * 6
    assert [r.step for r in report.results] == list(Step)
    assert (report.checked, report.documents, report.notes) == ((1, 2, 3), 6, ())
    assert report.passed
    assert report.first_failed is None


def test_the_bundle_alone_is_enough(
    bundle: Path, trusted: list[TrustedKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(bundle, elsewhere)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert verify_bundle(read_bundle(elsewhere), trusted).passed


# Step 1: structure


def test_a_record_that_is_no_envelope_fails_the_structure(bundle: Path, trusted: list[TrustedKey]) -> None:
    rewrite(bundle, 3, lambda _: b"not json")
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.STRUCTURE]
    assert "0000000003.dsse.json: is not JSON" in reasons(report)


def test_a_record_in_other_than_canonical_form_fails_the_structure(
    bundle: Path, trusted: list[TrustedKey]
) -> None:
    rewrite(bundle, 3, lambda data: data + b"\n")
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.STRUCTURE]
    assert "is not in canonical form" in reasons(report)


def test_another_payload_type_fails_the_structure(bundle: Path, trusted: list[TrustedKey]) -> None:
    rewrite(bundle, 3, lambda data: data.replace(b"vnd.in-toto+json", b"vnd.other+json"))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.STRUCTURE
    assert "has payload type 'application/vnd.other+json'" in reasons(report)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.update(predicateType="https://example.com/v1"), "predicateType"),
        (lambda p: p["predicate"].pop("retain_until"), "predicate.retain_until: Field required"),
        (lambda p: p["predicate"].update(produced_at="2026-11-21 02:00"), "predicate.produced_at"),
        (lambda p: p["predicate"].update(extra=1), "predicate.extra"),
        (lambda p: p["predicate"].update(kind="drill"), "is evidence of kind 'drill'"),
        (lambda p: p.update(subject=[]), "subject"),
        (lambda p: p["subject"].append(p["subject"][0]), "names a document twice"),
    ],
)
def test_a_statement_of_another_form_fails_the_structure_even_if_signed(
    shared_nights: Night,
    bundle: Path,
    trusted: list[TrustedKey],
    change: Callable[[dict[str, Any]], None],
    reason: str,
) -> None:
    key = shared_nights.target.signing_key_arn
    rewrite(bundle, 3, lambda data: signed_again(data, shared_nights, key, change))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.STRUCTURE
    assert reason in reasons(report)


def test_a_bundle_without_records_is_never_verified(bundle: Path, trusted: list[TrustedKey]) -> None:
    edit_manifest(bundle, lambda m: m.update(versions=[], delete_markers=[]))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.STRUCTURE]
    assert [r.outcome for r in report.results[1:]] == [Outcome.NOT_REACHED] * 5
    assert not report.passed


# Step 2: signature


def test_a_changed_payload_fails_the_signature(bundle: Path, trusted: list[TrustedKey]) -> None:
    def change(data: bytes) -> bytes:
        envelope = dsse.decode(data)
        payload = json.loads(envelope.payload)
        payload["predicate"]["environment"] = "local2"
        envelope.payload = compact_bytes(payload)
        return dsse.encode(envelope)

    rewrite(bundle, 3, change)
    report = verify_bundle(read_bundle(bundle), trusted)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.SIGNATURE
    assert "not that of a trusted key" in reasons(report)


def test_a_signature_by_another_key_fails_the_signature_even_under_the_good_key_id(
    shared_nights: Night, bundle: Path, trusted: list[TrustedKey], other_key: str
) -> None:
    def change(data: bytes) -> bytes:
        forged = json.loads(signed_again(data, shared_nights, other_key, lambda _: None))
        forged["signatures"][0]["keyid"] = trusted[0].key.keyid
        return compact_bytes(forged)

    rewrite(bundle, 3, change)
    assert failed(verify_bundle(read_bundle(bundle), trusted)) == [Step.SIGNATURE]


def test_a_chain_signed_by_another_key_fails_the_signature(
    bundle: Path, shared_nights: Night, other_key: str
) -> None:
    stranger = TrustedKey(key=signing.public_key(other_key, shared_nights.aws.kms))
    report = verify_bundle(read_bundle(bundle), [stranger])
    assert failed(report) == [Step.SIGNATURE]
    assert report.results[2].outcome is Outcome.NOT_REACHED
    assert len(report.results[1].findings) == 3


# Step 3: key and time


def test_a_wrong_key_id_in_the_envelope_fails_key_and_time(bundle: Path, trusted: list[TrustedKey]) -> None:
    rewrite(bundle, 3, lambda data: data.replace(trusted[0].key.keyid.encode(), b"0" * 64))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.KEY_AND_TIME]
    assert "its envelope names key 0000" in reasons(report)


def test_a_record_that_names_another_key_fails_key_and_time(
    shared_nights: Night, bundle: Path, trusted: list[TrustedKey]
) -> None:
    key = shared_nights.target.signing_key_arn
    rewrite(
        bundle,
        3,
        lambda d: signed_again(d, shared_nights, key, lambda p: p["predicate"].update(key_id="1" * 64)),
    )
    assert failed(verify_bundle(read_bundle(bundle), trusted)) == [Step.KEY_AND_TIME]


@pytest.mark.parametrize(
    ("shift", "reason"),
    [
        (timedelta(minutes=20), "after S3 took it in"),
        (-timedelta(days=2), "it was dated back"),
    ],
)
def test_a_clock_that_disagrees_with_s3_fails_key_and_time(
    night: Night, trusted: list[TrustedKey], shift: timedelta, reason: str
) -> None:
    night.write(produced_at=datetime.now(UTC) + shift)
    report = verify_bundle(night.export(), trusted)
    assert failed(report) == [Step.KEY_AND_TIME]
    assert reason in reasons(report)


def test_a_clock_within_tolerance_passes(night: Night, trusted: list[TrustedKey]) -> None:
    night.write(produced_at=datetime.now(UTC) + timedelta(minutes=4))
    assert verify_bundle(night.export(), trusted).passed


def test_a_key_is_judged_at_the_time_of_signing(
    bundle: Path, shared_nights: Night, public_key: dsse.PublicKey
) -> None:
    signed_at = shared_nights.written[0].produced_at
    retired_since = TrustedKey(key=public_key, valid_until=signed_at + timedelta(hours=1))
    retired_before = TrustedKey(key=public_key, valid_until=signed_at - timedelta(hours=1))
    not_yet = TrustedKey(key=public_key, valid_from=signed_at + timedelta(hours=1))
    assert verify_bundle(read_bundle(bundle), [retired_since]).passed
    for key, reason in ((retired_before, "went out of use"), (not_yet, "came into use")):
        report = verify_bundle(read_bundle(bundle), [key])
        assert failed(report) == [Step.KEY_AND_TIME]
        assert reason in reasons(report)


def test_a_chain_may_change_its_key(night: Night, trusted: list[TrustedKey], other_key: str) -> None:
    night.write()
    night.write(target=EvidenceTarget(**{**vars(night.target), "signing_key_arn": other_key}))
    new = TrustedKey(key=signing.public_key(other_key, night.aws.kms))
    assert verify_bundle(night.export(), [*trusted, new]).passed
    assert failed(verify_bundle(night.export(), trusted)) == [Step.SIGNATURE]


# Step 4: documents


def test_one_bit_in_a_document_fails_the_documents(
    bundle: Path, shared_nights: Night, trusted: list[TrustedKey]
) -> None:
    document = shared_nights.written[1].documents[0]
    path = bundle / "objects" / document.key / document.version_id
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(bytes(data))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.DOCUMENTS]
    assert "0000000002.dsse.json: policy-20261121.json was altered" in reasons(report)


def test_a_missing_document_fails_the_documents(
    bundle: Path, shared_nights: Night, trusted: list[TrustedKey]
) -> None:
    document = shared_nights.written[2].documents[1]
    (bundle / "objects" / document.key / document.version_id).unlink()
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.DOCUMENTS]
    assert "slo-20261121.json is missing" in reasons(report)


def test_a_document_is_judged_in_its_signed_version(three_nights: Night, trusted: list[TrustedKey]) -> None:
    overwritten, hidden = (r.documents[0].key for r in three_nights.written[:2])
    bucket = three_nights.target.bucket
    three_nights.aws.s3.put_object(Bucket=bucket, Key=overwritten, Body=b"{}", ChecksumAlgorithm="SHA256")
    three_nights.aws.s3.delete_object(Bucket=bucket, Key=hidden)
    report = verify_bundle(three_nights.export(), trusted)
    assert report.passed
    assert report.notes == (
        f"{overwritten} has other versions than the signed one",
        f"{hidden} is hidden by a delete marker; the signed version is there",
    )
