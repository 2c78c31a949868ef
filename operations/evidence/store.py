"""The evidence bucket: documents first, their record last, under lock, in one chain a kind."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from operations.errors import AwsError, OperationsError, aws_call
from operations.evidence import layout, signing
from operations.evidence.canonical import compact_bytes, document_bytes, sha256_hex
from operations.evidence.statement import MEDIA_TYPE, previous, rfc3339, statement, subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

    from operations.clients import AwsClients
    from operations.evidence.target import EvidenceTarget

RECORD_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_ATTEMPTS = 10
_LONGEST_WAIT_SECONDS = 2.0


class EvidenceError(OperationsError):
    """Evidence that can't be written or read."""


class _SequenceTakenError(Exception):
    """Another writer took the sequence first."""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One version of an object in the evidence bucket; `sha256` is of its content."""

    key: str
    version_id: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """End of a chain.

    Attributes:
        sequence: Highest sequence ever taken, even if its record was deleted since.
        previous: What the next record has to name as the one before it, None if no record is left.
    """

    sequence: int
    previous: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class RecordReference:
    """A record that was written: the whole run's proof hangs on it."""

    bucket: str
    record: StoredObject
    sequence: int
    key_id: str
    produced_at: datetime
    retain_until: datetime
    documents: tuple[StoredObject, ...]


@dataclass(frozen=True, kw_only=True)
class _Lock:
    mode: str
    retain_until: datetime


class EvidenceStore:
    """One evidence bucket; it writes under lock and reads exact versions only."""

    def __init__(self, target: EvidenceTarget, s3: S3Client) -> None:
        self.target = target
        self._s3 = s3

    def put_document(self, key: str, data: bytes, retain_until: datetime) -> StoredObject:
        """Stores a document under lock.

        Raises:
            AwsError: S3 refused or failed the call.
            EvidenceError: The bucket isn't versioned.
        """
        return self._put(self._request(key, data, MEDIA_TYPE, retain_until))

    def put_record(self, key: str, data: bytes, retain_until: datetime) -> StoredObject | None:
        """Stores a record under lock if its key is free; None if another writer took it.

        Raises:
            AwsError: S3 refused or failed the call.
            EvidenceError: The bucket isn't versioned.
        """
        try:
            return self._put(
                {**self._request(key, data, RECORD_MEDIA_TYPE, retain_until), "IfNoneMatch": "*"}
            )
        except AwsError as error:
            if error.code not in _TAKEN:
                raise
        # A retry inside boto3 may have met our own record, whose answer got lost. Signatures are
        # randomised, so equal bytes are ours.
        first = self._first_versions(key).get(key)
        if first is not None and self.read(key, first) == data:
            return StoredObject(key=key, version_id=first, sha256=sha256_hex(data))
        return None

    def read(self, key: str, version_id: str) -> bytes:
        """Content of an exact version.

        Raises:
            AwsError: S3 refused or failed the call.
        """
        with aws_call("s3:GetObjectVersion", self._address(key)):
            answer = self._s3.get_object(Bucket=self.target.bucket, Key=key, VersionId=version_id)
            return answer["Body"].read()

    def head(self, kind: str) -> Head:
        """End of a kind's chain, found by listing versions: a delete marker hides nothing from it.

        Raises:
            AwsError: S3 refused or failed a call.
        """
        versions = self._first_versions(layout.records_prefix(kind), with_deleted=True)
        records = {s: key for key in versions if (s := layout.record_sequence(key)) is not None}
        readable = [s for s, key in records.items() if versions[key] is not None]
        if not readable:
            return Head(sequence=max(records, default=layout.FIRST_SEQUENCE - 1), previous=None)
        newest = max(readable)
        key = records[newest]
        version_id = versions[key] or ""
        digest = sha256_hex(self.read(key, version_id))
        return Head(
            sequence=max(records),
            previous=previous(sequence=newest, sha256=digest, version_id=version_id),
        )

    def _first_versions(self, prefix: str, *, with_deleted: bool = False) -> dict[str, str | None]:
        """Version id of each key's oldest version: the record is what was written first, nothing later.

        Keys of which nothing but delete markers are left are there with None, if asked for.
        """
        first: dict[str, str | None] = {}
        with aws_call("s3:ListBucketVersions", f"arn:aws:s3:::{self.target.bucket}"):
            pages = self._s3.get_paginator("list_object_versions").paginate(
                Bucket=self.target.bucket, Prefix=prefix
            )
            for page in pages:
                if with_deleted:
                    for marker in page.get("DeleteMarkers", []):
                        first.setdefault(marker["Key"], None)
                # S3 lists a key's versions newest first, so the last one seen is the oldest.
                for version in page.get("Versions", []):
                    first[version["Key"]] = version["VersionId"]
        return first

    def _request(
        self, key: str, data: bytes, media_type: str, retain_until: datetime
    ) -> PutObjectRequestTypeDef:
        request: PutObjectRequestTypeDef = {
            "Bucket": self.target.bucket,
            "Key": key,
            "Body": data,
            "ContentType": media_type,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
            "ObjectLockMode": self.target.lock_mode,
            "ObjectLockRetainUntilDate": retain_until,
        }
        if self.target.encryption_key_arn:
            request["ServerSideEncryption"] = "aws:kms"
            request["SSEKMSKeyId"] = self.target.encryption_key_arn
        return request

    def _put(self, request: PutObjectRequestTypeDef) -> StoredObject:
        key = request["Key"]
        with aws_call("s3:PutObject", self._address(key)):
            answer = self._s3.put_object(**request)
        version_id = answer.get("VersionId")
        if not version_id or version_id == "null":
            raise EvidenceError(
                f"bucket {self.target.bucket} isn't versioned: evidence needs versioning and Object Lock"
            )
        data = request["Body"]
        return StoredObject(key=key, version_id=version_id, sha256=sha256_hex(data))  # type: ignore[arg-type]

    def _address(self, key: str) -> str:
        return f"arn:aws:s3:::{self.target.bucket}/{key}"


def write_evidence(
    documents: Mapping[str, Any],
    *,
    kind: str,
    job: str,
    run_id: str,
    target: EvidenceTarget,
    aws: AwsClients,
    produced_at: datetime | None = None,
) -> RecordReference:
    """Stores documents and then the signed record that commits to them: the one way to prove something.

    Without its record a document proves nothing, so a run that fails half way leaves no evidence, and
    the next run starts anew.

    Args:
        documents: JSON data by name; `evidence-20261121` becomes `evidence-20261121.json`.
        kind: Kind of evidence, such as `nightly-pack`; each kind is a chain of its own.
        job: Name of the job that writes.
        run_id: Identifier of its run, made by `layout.new_run_id`.
        target: Bucket, lock and keys.
        aws: Clients.
        produced_at: Time of signing, now if None; the retention counts from it.

    Returns:
        The record and its documents, as stored.

    Raises:
        AwsError: AWS refused or failed a call; no record exists.
        EvidenceError: A document is no JSON data, there is none, or the bucket isn't versioned.
        OperationsError: The signing key can't sign as needed.
        ValueError: A name can't be part of a key.
    """
    for name, what in [
        (kind, "kind"),
        (job, "job"),
        (run_id, "run id"),
        *((d, "document") for d in documents),
    ]:
        layout.checked_name(name, what)
    contents = _contents(documents)
    moment = (produced_at or datetime.now(UTC)).replace(microsecond=0)
    retain_until = moment + timedelta(days=target.retention_days)
    store = EvidenceStore(target, aws.s3)
    # Asked for before anything is stored: a key that can't sign should leave nothing behind.
    signer = signing.signer(target.signing_key_arn, aws.kms)
    stored = {
        name: store.put_document(layout.document_key(kind, moment, run_id, name), data, retain_until)
        for name, data in contents.items()
    }
    claims = {
        "kind": kind,
        "environment": target.environment,
        "region": target.region,
        "job": job,
        "run_id": run_id,
        "produced_at": rfc3339(moment),
        "retain_until": rfc3339(retain_until),
        "lock_mode": target.lock_mode,
        "key_id": signer.public_key.keyid,
        "key_arn": target.signing_key_arn,
    }
    subjects = [
        subject(
            name=f"{name}.json", bucket=target.bucket, key=o.key, sha256=o.sha256, version_id=o.version_id
        )
        for name, o in stored.items()
    ]
    sequence, record = _append(store, signer, subjects, claims, retain_until)
    return RecordReference(
        bucket=target.bucket,
        record=record,
        sequence=sequence,
        key_id=signer.public_key.keyid,
        produced_at=moment,
        retain_until=retain_until,
        documents=tuple(stored.values()),
    )


def _contents(documents: Mapping[str, Any]) -> dict[str, bytes]:
    if not documents:
        raise EvidenceError("there is no document to prove: pass at least one")
    contents = {}
    for name, data in documents.items():
        try:
            contents[name] = document_bytes(data)
        except (TypeError, ValueError) as error:
            raise EvidenceError(f"document {name} is no JSON data: {error}") from error
    return contents


def _append(
    store: EvidenceStore,
    signer: signing.KmsSigner,
    subjects: list[dict[str, Any]],
    claims: dict[str, Any],
    retain_until: datetime,
) -> tuple[int, StoredObject]:
    """Signs and stores the record at the chain's end; the loser of a race reads the end again."""

    def attempt() -> tuple[int, StoredObject]:
        head = store.head(claims["kind"])
        sequence = head.sequence + 1
        link = {"sequence": sequence, "previous": head.previous}
        payload = compact_bytes(statement(subjects=subjects, predicate={**claims, **link}))
        key = layout.record_key(claims["kind"], sequence)
        record = store.put_record(key, signing.sign(payload, signer), retain_until)
        if record is None:
            raise _SequenceTakenError
        return sequence, record

    try:
        return Retrying(
            retry=retry_if_exception_type(_SequenceTakenError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT_SECONDS),
            reraise=True,
        )(attempt)
    except _SequenceTakenError:
        raise EvidenceError(
            f"{_ATTEMPTS} attempts to append to {claims['kind']} met another writer each time: "
            "run the job again when the others have ended"
        ) from None
