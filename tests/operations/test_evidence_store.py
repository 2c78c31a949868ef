"""Writing evidence: order, lock, chain, races and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from operations.clients import AwsClients, aws_clients
from operations.errors import AwsError, OperationsError
from operations.evidence import envelope as dsse
from operations.evidence.canonical import document_bytes, sha256_hex
from operations.evidence.export import export_bundle
from operations.evidence.layout import record_key
from operations.evidence.steps import TrustedKey
from operations.evidence.store import EvidenceError, EvidenceStore, Head, StoredObject, write_evidence
from operations.evidence.target import EvidenceTarget
from operations.evidence.verify import verify_bundle
from tests.operations.support import JOB, KIND, REGION, Night

FAILED_BODY = b"<Error><Code>InvalidRequest</Code><Message>broken on purpose</Message></Error>"


class RawBody:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._data


@contextmanager
def hooked(aws: AwsClients, event: str, hook: Callable[..., Any]) -> Iterator[None]:
    """A hook of botocore for the time of the block; what it returns counts, whatever the stubs say."""
    events: Any = aws.s3.meta.events
    events.register_first(event, hook)
    try:
        yield
    finally:
        events.unregister(event, hook)


@contextmanager
def failing_put(aws: AwsClients, number: int) -> Iterator[None]:
    """The `number`th PutObject of the block, from 1, is answered with an error."""
    calls: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        calls.append(request)
        if len(calls) != number:
            return None
        return AWSResponse(request.url, 400, HTTPHeaders(), RawBody(FAILED_BODY))

    with hooked(aws, "before-send.s3.PutObject", answer):
        yield


def payload_of(night: Night, record: StoredObject) -> dict[str, Any]:
    stored = night.aws.s3.get_object(Bucket=night.target.bucket, Key=record.key, VersionId=record.version_id)
    content: dict[str, Any] = json.loads(dsse.decode(stored["Body"].read()).payload)
    return content


def test_a_record_names_its_documents_by_digest_and_version(night: Night) -> None:
    reference = night.write({"policy-20261121": {"rules": 3}})
    (document,) = reference.documents
    (subject,) = payload_of(night, reference.record)["subject"]
    assert document.key.endswith("/policy-20261121.json")
    assert subject == {
        "name": "policy-20261121.json",
        "uri": f"s3://{night.target.bucket}/{document.key}",
        "digest": {"sha256": sha256_hex(document_bytes({"rules": 3}))},
        "mediaType": "application/json",
        "annotations": {"versionId": document.version_id},
    }


def test_a_record_says_where_when_and_by_which_key(night: Night, public_key: dsse.PublicKey) -> None:
    reference = night.write(run_id="run-1")
    predicate = payload_of(night, reference.record)["predicate"]
    days = (reference.retain_until - reference.produced_at).days
    assert days == night.target.retention_days
    assert {k: v for k, v in predicate.items() if k not in ("produced_at", "retain_until")} == {
        "kind": KIND,
        "environment": "local",
        "region": REGION,
        "job": JOB,
        "run_id": "run-1",
        "sequence": 1,
        "lock_mode": "GOVERNANCE",
        "key_id": public_key.keyid,
        "key_arn": night.target.signing_key_arn,
        "previous": None,
    }


def test_each_record_names_digest_and_version_of_the_one_before(three_nights: Night) -> None:
    first, second, third = three_nights.written
    for before, record in ((first, second), (second, third)):
        assert payload_of(three_nights, record.record)["predicate"]["previous"] == {
            "sequence": before.sequence,
            "digest": {"sha256": before.record.sha256},
            "versionId": before.record.version_id,
        }


def test_every_object_is_locked_encrypted_and_typed(night: Night, encryption_key: str) -> None:
    reference = night.write()
    types = set()
    for stored in (reference.record, *reference.documents):
        head = night.aws.s3.head_object(
            Bucket=night.target.bucket, Key=stored.key, VersionId=stored.version_id
        )
        types.add(head["ContentType"])
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert head["ObjectLockRetainUntilDate"] == reference.retain_until
        assert head["SSEKMSKeyId"] == encryption_key
        with pytest.raises(ClientError, match="AccessDenied"):
            night.aws.s3.delete_object(
                Bucket=night.target.bucket, Key=stored.key, VersionId=stored.version_id
            )
    assert types == {"application/json", "application/vnd.dsse.envelope.v1+json"}


def test_kinds_have_chains_of_their_own(night: Night) -> None:
    night.write()
    drill = night.write(kind="drill")
    assert drill.sequence == 1
    assert night.write().sequence == 2


def test_the_record_is_written_after_all_documents(night: Night) -> None:
    keys: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        keys.append(params["Key"])

    with hooked(night.aws, "provide-client-params.s3.PutObject", note):
        night.write()
    assert ["/records/" in key for key in keys] == [False, False, True]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_error_of_s3_on_any_put_leaves_no_record_and_the_next_run_starts_anew(
    night: Night, trusted: list[TrustedKey], number: int
) -> None:
    with (
        failing_put(night.aws, number),
        pytest.raises(AwsError, match=r"s3:PutObject on .*broken on purpose"),
    ):
        night.write()
    assert night.records() == []
    assert night.write().sequence == 1
    report = verify_bundle(night.export(), trusted)
    assert report.passed
    assert len(report.notes) == (0 if number == 1 else 1)


def test_a_key_that_cannot_sign_leaves_nothing_behind(night: Night, encryption_key: str) -> None:
    target = EvidenceTarget(**{**vars(night.target), "signing_key_arn": encryption_key})
    with pytest.raises(OperationsError, match=encryption_key):
        night.write(target=target)
    assert "Versions" not in night.aws.s3.list_object_versions(Bucket=night.target.bucket)


def test_the_loser_of_a_race_reads_the_head_again(
    night: Night, trusted: list[TrustedKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    night.write()
    read_head = EvidenceStore.head
    overtaken: list[bool] = []

    def head(store: EvidenceStore, kind: str) -> Head:
        found = read_head(store, kind)
        if not overtaken:
            overtaken.append(True)
            assert night.write().sequence == 2
        return found

    monkeypatch.setattr(EvidenceStore, "head", head)
    assert night.write().sequence == 3
    assert verify_bundle(night.export(), trusted).passed
    assert len(night.records()) == 3


def test_a_chain_that_is_always_taken_ends_in_one_clear_error(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.write()
    monkeypatch.setattr(EvidenceStore, "head", lambda *_: Head(sequence=0, previous=None))
    monkeypatch.setattr("operations.evidence.store._ATTEMPTS", 2)
    with pytest.raises(EvidenceError, match="2 attempts to append to nightly-pack"):
        night.write()
    assert len(night.records()) == 1


def test_a_record_whose_answer_was_lost_is_not_written_twice(night: Night) -> None:
    lost: list[str] = []

    def answer_is_lost(response: Any, **_: Any) -> int | None:
        url = response[0].url if response else ""
        if "/records/" not in url or lost:
            return None
        lost.append(url)
        return 0  # seconds until botocore sends the request again

    with hooked(night.aws, "needs-retry.s3.PutObject", answer_is_lost):
        reference = night.write()
    assert lost
    assert reference.sequence == 1
    assert night.records() == [record_key(KIND, 1)]


def test_a_deleted_record_keeps_its_place_in_the_chain(night: Night) -> None:
    first = night.write()
    night.aws.s3.delete_object(Bucket=night.target.bucket, Key=first.record.key)
    second = night.write()
    assert second.sequence == 2
    assert payload_of(night, second.record)["predicate"]["previous"]["versionId"] == first.record.version_id


def test_an_overwritten_record_is_followed_in_its_first_version(night: Night) -> None:
    first = night.write()
    night.aws.s3.put_object(
        Bucket=night.target.bucket, Key=first.record.key, Body=b"{}", ChecksumAlgorithm="SHA256"
    )
    second = night.write()
    assert payload_of(night, second.record)["predicate"]["previous"]["versionId"] == first.record.version_id


@pytest.mark.parametrize("suspended", [False, True])
def test_a_bucket_without_versions_is_refused(night: Night, *, suspended: bool) -> None:
    bucket = f"{night.target.bucket}-plain"
    night.aws.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    if suspended:
        for status in ("Enabled", "Suspended"):
            night.aws.s3.put_bucket_versioning(
                Bucket=bucket,
                VersioningConfiguration={"Status": status},
            )
    store = EvidenceStore(night.target, night.aws.s3)
    with pytest.raises(EvidenceError, match="isn't versioned"):
        store._put({"Bucket": bucket, "Key": "a", "Body": b"a"})  # noqa: SLF001 no lock, so no other way in


@pytest.mark.parametrize("documents", [{}, {"a": float("nan")}, {"a": {1, 2}}])
def test_what_is_no_json_is_refused_before_anything_is_stored(
    night: Night, documents: dict[str, Any]
) -> None:
    with pytest.raises(EvidenceError, match="document"):
        write_evidence(documents, kind=KIND, job=JOB, run_id="run", target=night.target, aws=night.aws)
    assert "Versions" not in night.aws.s3.list_object_versions(Bucket=night.target.bucket)


NEEDED = ("s3:PutObject", "s3:ListBucketVersions", "s3:GetObjectVersion", "kms:GetPublicKey", "kms:Sign")


@contextmanager
def identity(
    endpoint: str, actions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> Iterator[AwsClients]:
    """Clients of a user that may do just these actions, while the emulator enforces IAM."""
    iam = boto3.client("iam", region_name=REGION)
    name = f"writer-{len(actions)}-{abs(hash(actions))}"
    iam.create_user(UserName=name)
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }
    iam.put_user_policy(UserName=name, PolicyName="writer", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        httpx.post(f"{endpoint}/moto-api/reset-auth", content=b"0")
        try:
            yield aws_clients(REGION)
        finally:
            httpx.post(f"{endpoint}/moto-api/reset-auth", content=b"inf")


def test_the_listed_actions_are_enough_to_write(
    night: Night, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.write()
    with identity(aws_endpoint, NEEDED, monkeypatch) as aws:
        assert night.write(aws=aws).sequence == 2


@pytest.mark.parametrize("missing", NEEDED)
def test_without_one_of_the_listed_actions_the_refused_one_is_named(
    night: Night, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    night.write()
    left = tuple(action for action in NEEDED if action != missing)
    with (
        identity(aws_endpoint, left, monkeypatch) as aws,
        pytest.raises(AwsError, match=f"AWS refused {missing} on arn:aws:") as refused,
    ):
        night.write(aws=aws)
    assert refused.value.refused
    assert len(night.records()) == 1


def test_an_export_that_is_refused_names_the_action(
    night: Night, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.write()
    with (
        identity(aws_endpoint, ("s3:GetObjectVersion",), monkeypatch) as aws,
        pytest.raises(AwsError, match="AWS refused s3:ListBucketVersions"),
    ):
        export_bundle(bucket=night.target.bucket, kind=KIND, folder=night.folder / "b", aws=aws)
