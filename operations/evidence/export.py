"""Takes evidence out of its bucket, with everything that S3 says about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from operations.errors import aws_call
from operations.evidence import envelope as dsse
from operations.evidence import layout, signing
from operations.evidence.bundle import (
    BUNDLE_SCHEMA,
    BundleError,
    DeleteMarker,
    Manifest,
    ObjectVersion,
    file_of,
    write_bundle,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from operations.clients import AwsClients


@dataclass(frozen=True, kw_only=True)
class _Listing:
    """What a prefix holds: `(key, version id)` newest first, and delete markers."""

    versions: tuple[tuple[str, str], ...]
    delete_markers: tuple[DeleteMarker, ...]


def export_bundle(
    *,
    bucket: str,
    kind: str,
    folder: Path,
    aws: AwsClients,
    newest: int | None = None,
    signing_key_arn: str | None = None,
) -> Manifest:
    """Writes a kind's records and documents, all their versions and delete markers, to a folder.

    Args:
        bucket: Evidence bucket, or a replica of one.
        kind: Kind of evidence.
        folder: New or empty folder.
        aws: Clients.
        newest: How many of the newest records to take, all if None; documents follow their records.
        signing_key_arn: Key whose public half goes into the bundle; None takes the one that the newest
            readable record names.

    Raises:
        AwsError: AWS refused or failed a call.
        BundleError: There is no such evidence, or the folder can't take it.
        OperationsError: The signing key isn't one that evidence is signed with.
        ValueError: The kind can't be part of a key.
    """
    layout.checked_name(kind, "kind")
    records = _listing(aws.s3, bucket, layout.records_prefix(kind))
    if not records.versions and not records.delete_markers:
        raise BundleError(f"bucket {bucket} holds no records of kind {kind}: check both names")
    records = _newest(records, newest)
    contents: dict[str, bytes] = {}
    versions = [_fetch(aws.s3, bucket, item, contents) for item in records.versions]
    payloads = [p for v in versions if (p := _payload(contents[v.file])) is not None]
    documents = _listing(aws.s3, bucket, layout.documents_prefix(kind))
    if newest is not None:
        documents = _only(documents, _document_keys(payloads))
    versions += [_fetch(aws.s3, bucket, item, contents) for item in documents.versions]
    arn = signing_key_arn or next((a for p in reversed(payloads) if (a := _key_arn(p))), None)
    if arn is None:
        raise BundleError(f"no record of {kind} names its signing key: give its ARN with --signing-key")
    manifest = Manifest(
        schema_uri=BUNDLE_SCHEMA,
        bucket=bucket,
        kind=kind,
        exported_at=datetime.now(UTC),
        newest=newest,
        versions=tuple(versions),
        delete_markers=records.delete_markers + documents.delete_markers,
    )
    write_bundle(folder, manifest, contents, dsse.pem(signing.public_key(arn, aws.kms)))
    return manifest


def _listing(s3: S3Client, bucket: str, prefix: str) -> _Listing:
    versions: list[tuple[str, str]] = []
    markers: list[DeleteMarker] = []
    with aws_call("s3:ListBucketVersions", f"arn:aws:s3:::{bucket}"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            versions += [(v["Key"], v["VersionId"]) for v in page.get("Versions", [])]
            markers += [
                DeleteMarker(key=m["Key"], version_id=m["VersionId"], last_modified=m["LastModified"])
                for m in page.get("DeleteMarkers", [])
            ]
    return _Listing(versions=tuple(versions), delete_markers=tuple(markers))


def _only(listing: _Listing, keys: set[str]) -> _Listing:
    return _Listing(
        versions=tuple(v for v in listing.versions if v[0] in keys),
        delete_markers=tuple(m for m in listing.delete_markers if m.key in keys),
    )


def _newest(records: _Listing, count: int | None) -> _Listing:
    if count is None:
        return records
    keys = {key for key, _ in records.versions} | {m.key for m in records.delete_markers}
    return _only(records, set(sorted(keys)[-count:]))


def _fetch(s3: S3Client, bucket: str, item: tuple[str, str], contents: dict[str, bytes]) -> ObjectVersion:
    key, version_id = item
    with aws_call("s3:GetObjectVersion", f"arn:aws:s3:::{bucket}/{key}"):
        answer = s3.get_object(Bucket=bucket, Key=key, VersionId=version_id)
        data = answer["Body"].read()
    version = ObjectVersion(
        key=key,
        version_id=version_id,
        last_modified=answer["LastModified"],
        lock_mode=answer.get("ObjectLockMode"),
        retain_until=answer.get("ObjectLockRetainUntilDate"),
        file=file_of(key, version_id),
    )
    contents[version.file] = data
    return version


def _payload(record: bytes) -> dict[str, Any] | None:
    """A record's claims, unverified: they only help to find what to export."""
    try:
        data = json.loads(dsse.decode(record).payload)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _document_keys(payloads: Iterable[dict[str, Any]]) -> set[str]:
    subjects = (p["subject"] for p in payloads if isinstance(p.get("subject"), list))
    uris = (s.get("uri") for listed in subjects for s in listed if isinstance(s, dict))
    return {uri.removeprefix("s3://").partition("/")[2] for uri in uris if isinstance(uri, str)}


def _key_arn(payload: dict[str, Any]) -> str | None:
    predicate = payload.get("predicate")
    arn = predicate.get("key_arn") if isinstance(predicate, dict) else None
    return arn if isinstance(arn, str) else None
