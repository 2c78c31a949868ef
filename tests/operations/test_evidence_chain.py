"""Offline verification, steps 5 and 6: what a chain and its lock prove."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.evidence.bundle import Bundle, read_bundle
from operations.evidence.layout import new_run_id, record_key
from operations.evidence.steps import TrustedKey
from operations.evidence.target import EvidenceTarget
from operations.evidence.verify import Requirements, Step, verify_bundle
from tests.operations.support import KIND, Night, copy_bundle, edit_manifest, file_of_record
from tests.operations.tampering import failed, reasons, rewrite, signed_again

# Step 5: chain


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1, "is the oldest: sequence 1 is before it missing"),
        (2, "sequence 2 is before it missing"),
        (3, "the chain has to reach 3"),
    ],
)
def test_a_removed_record_fails_the_chain(
    bundle: Path, trusted: list[TrustedKey], number: int, reason: str
) -> None:
    key = record_key(KIND, number)
    edit_manifest(bundle, lambda m: m.update(versions=[v for v in m["versions"] if v["key"] != key]))
    report = verify_bundle(read_bundle(bundle), trusted, Requirements(expected_sequence=3))
    assert failed(report) == [Step.CHAIN]
    assert reason in reasons(report)


def test_an_overwritten_record_fails_the_chain(three_nights: Night, trusted: list[TrustedKey]) -> None:
    first, second, _ = three_nights.written
    s3, bucket = three_nights.aws.s3, three_nights.target.bucket
    good = s3.get_object(Bucket=bucket, Key=second.record.key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=first.record.key, Body=good, ChecksumAlgorithm="SHA256")
    report = verify_bundle(three_nights.export(), trusted)
    assert failed(report) == [Step.CHAIN]
    assert f"{first.record.key}: was overwritten: has 2 versions" in reasons(report)


def test_a_delete_marker_fails_the_chain(three_nights: Night, trusted: list[TrustedKey]) -> None:
    key = three_nights.written[1].record.key
    marker = three_nights.aws.s3.delete_object(Bucket=three_nights.target.bucket, Key=key)["VersionId"]
    report = verify_bundle(three_nights.export(), trusted)
    assert failed(report) == [Step.CHAIN]
    assert f"{key}: was deleted: has delete marker {marker}" in reasons(report)


def test_a_record_of_which_only_a_delete_marker_is_left_fails_the_chain(
    three_nights: Night, trusted: list[TrustedKey]
) -> None:
    record = three_nights.written[2].record
    bucket = three_nights.target.bucket
    three_nights.aws.s3.delete_object(Bucket=bucket, Key=record.key)
    three_nights.aws.s3.delete_object(
        Bucket=bucket, Key=record.key, VersionId=record.version_id, BypassGovernanceRetention=True
    )
    report = verify_bundle(three_nights.export(), trusted)
    assert failed(report) == [Step.CHAIN]
    assert "is gone: no version of it is left" in reasons(report)
    assert three_nights.write().sequence == 4
    assert "follows sequence 2 instead of 3" in reasons(verify_bundle(three_nights.export(), trusted))


def test_an_exchanged_record_fails_the_chain_though_every_signature_is_good(
    shared_nights: Night, bundle: Path, trusted: list[TrustedKey]
) -> None:
    key = shared_nights.target.signing_key_arn
    rewrite(
        bundle,
        2,
        lambda d: signed_again(d, shared_nights, key, lambda p: p["predicate"].update(run_id="another")),
    )
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.CHAIN]
    assert "0000000003.dsse.json: nightly-pack/records/0000000002.dsse.json is not the record" in reasons(
        report
    )


def test_records_that_changed_places_fail_the_chain(bundle: Path, trusted: list[TrustedKey]) -> None:
    first, second = (file_of_record(bundle, n).read_bytes() for n in (1, 2))
    rewrite(bundle, 1, lambda _: second)
    rewrite(bundle, 2, lambda _: first)
    report = verify_bundle(read_bundle(bundle), trusted)
    assert report.first_failed is not None
    assert report.first_failed.step is Step.CHAIN
    assert "was signed as sequence 2 and lies at 1" in reasons(report)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p["predicate"].update(previous=None), "names no record before it"),
        (lambda p: p["predicate"]["previous"].update(versionId="x"), "follows version x"),
        (lambda p: p["predicate"]["previous"].update(sequence=1), "follows sequence 1 instead of 2"),
        (lambda p: p["predicate"].update(region="us-east-1"), "is about local/us-east-1"),
    ],
)
def test_a_wrong_link_fails_the_chain_even_if_signed(
    shared_nights: Night,
    bundle: Path,
    trusted: list[TrustedKey],
    change: Callable[[dict[str, Any]], None],
    reason: str,
) -> None:
    key = shared_nights.target.signing_key_arn
    rewrite(bundle, 3, lambda data: signed_again(data, shared_nights, key, change))
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.CHAIN]
    assert reason in reasons(report)


# Step 6: retention


def test_a_lock_that_ends_earlier_than_signed_fails_the_retention(
    bundle: Path, trusted: list[TrustedKey]
) -> None:
    def shorten(manifest: dict[str, Any]) -> None:
        for version in manifest["versions"]:
            if version["key"] == record_key(KIND, 2):
                end = datetime.fromisoformat(version["retain_until"]) - timedelta(seconds=1)
                version["retain_until"] = end.isoformat()

    edit_manifest(bundle, shorten)
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.RETENTION]
    assert "0000000002.dsse.json: it is locked until" in reasons(report)


def test_a_document_without_lock_fails_the_retention(
    bundle: Path, shared_nights: Night, trusted: list[TrustedKey]
) -> None:
    document = shared_nights.written[0].documents[0].key
    edit_manifest(
        bundle,
        lambda m: [
            v.update(lock_mode=None, retain_until=None) for v in m["versions"] if v["key"] == document
        ],
    )
    report = verify_bundle(read_bundle(bundle), trusted)
    assert failed(report) == [Step.RETENTION]
    assert "policy-20261121.json isn't locked" in reasons(report)


def test_a_shorter_retention_than_required_fails_the_retention(
    bundle: Path, trusted: list[TrustedKey]
) -> None:
    assert verify_bundle(read_bundle(bundle), trusted, Requirements(retention_days=90)).passed
    report = verify_bundle(read_bundle(bundle), trusted, Requirements(retention_days=365))
    assert failed(report) == [Step.RETENTION]
    assert "is kept for 90 days, 365 are required" in reasons(report)


def test_a_weaker_lock_than_signed_fails_the_retention_and_a_stronger_one_passes(
    night: Night, trusted: list[TrustedKey]
) -> None:
    night.write(target=EvidenceTarget(**{**vars(night.target), "lock_mode": "COMPLIANCE"}))
    bundle = night.export().folder
    relaxed = copy_bundle(bundle, "relaxed")
    edit_manifest(relaxed, lambda m: [v.update(lock_mode="GOVERNANCE") for v in m["versions"]])
    assert verify_bundle(read_bundle(bundle), trusted).passed
    assert failed(verify_bundle(read_bundle(relaxed), trusted)) == [Step.RETENTION]


# The newest N


def test_the_newest_records_verify_without_the_older_ones(
    three_nights: Night, trusted: list[TrustedKey]
) -> None:
    small = three_nights.export(newest=2)
    assert {v.key for v in small.manifest.versions} == {
        o.key for r in three_nights.written[1:] for o in (r.record, *r.documents)
    }
    report = verify_bundle(small, trusted, Requirements(newest=2))
    assert report.passed
    assert report.checked == (2, 3)
    assert report.notes == ("records before sequence 2 were not checked",)
    assert failed(verify_bundle(small, trusted)) == [Step.CHAIN]


def test_the_newest_record_is_held_against_the_one_before_it(bundle: Path, trusted: list[TrustedKey]) -> None:
    rewrite(bundle, 2, lambda data: data + b" ")
    report = verify_bundle(read_bundle(bundle), trusted, Requirements(newest=1))
    assert failed(report) == [Step.CHAIN]


def test_documents_of_a_run_that_failed_are_noted(night: Night, trusted: list[TrustedKey]) -> None:
    night.write()
    key = f"{KIND}/documents/2026/11/21/{new_run_id(datetime.now(UTC))}/policy.json"
    night.aws.s3.put_object(Bucket=night.target.bucket, Key=key, Body=b"{}", ChecksumAlgorithm="SHA256")
    report = verify_bundle(night.export(), trusted)
    assert report.passed
    assert report.notes == ("1 documents belong to no record: a run that failed half way leaves such",)


def test_a_bundle_reads_back_as_it_was_written(bundle: Path) -> None:
    read = read_bundle(bundle)
    assert isinstance(read, Bundle)
    assert sorted(p.name for p in bundle.iterdir()) == ["bundle.json", "objects", "public-key.pem"]
    assert all(read.content(version) for version in read.manifest.versions)
