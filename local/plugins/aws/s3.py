"""S3: buckets, and the settings of a bucket that are resources of their own."""

from collections.abc import Callable
from typing import Any

from local.plugins.aws.resource import ResourceType, tag_list, tag_map
from local.plugins.aws.s3_shapes import from_aws, to_aws
from local.plugins.aws.session import Session, ignoring
from local.plugins.properties import Properties
from local.plugins.provider import ProviderError

_GONE = ("NoSuchBucket", "404")
_DELETE_BATCH = 1000  # the most keys that one DeleteObjects call takes


def _create_bucket(session: Session, inputs: Properties) -> str:
    name = str(inputs["bucket"])
    wanted: dict[str, Any] = {"Bucket": name}
    if session.region != "us-east-1":  # which must not be named: the API's oldest quirk
        wanted["CreateBucketConfiguration"] = {"LocationConstraint": session.region}
    if inputs.get("objectLockEnabled"):
        wanted["ObjectLockEnabledForBucket"] = True
    with ignoring("BucketAlreadyOwnedByYou"):
        session.s3.create_bucket(**wanted)
    _tag_bucket(session, name, inputs.get("tagsAll", {}))
    live = _read_bucket(session, name, inputs) or {}
    if live.get("objectLockEnabled", False) != inputs.get("objectLockEnabled", False):
        raise ProviderError(
            f"the bucket {name} exists already, and its Object Lock, which cannot be changed, is "
            f"{'on' if live.get('objectLockEnabled') else 'off'}; delete the bucket or choose another name"
        )
    return name


def _tag_bucket(session: Session, name: str, tags: dict[str, str]) -> None:
    if tags:
        session.s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
    else:
        session.s3.delete_bucket_tagging(Bucket=name)


def _read_bucket(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    s3 = session.s3
    region = ""
    with ignoring(*_GONE):
        region = s3.get_bucket_location(Bucket=identifier)["LocationConstraint"] or "us-east-1"
    if not region:
        return None
    tags: list[Any] = []
    with ignoring("NoSuchTagSet"):
        tags = s3.get_bucket_tagging(Bucket=identifier)["TagSet"]
    lock: dict[str, Any] = {}
    with ignoring("ObjectLockConfigurationNotFoundError"):
        lock = s3.get_object_lock_configuration(Bucket=identifier)["ObjectLockConfiguration"]
    return {
        "arn": f"arn:aws:s3:::{identifier}",
        "bucket": identifier,
        "bucketDomainName": f"{identifier}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{identifier}.s3.{region}.amazonaws.com",
        "objectLockEnabled": lock.get("ObjectLockEnabled") == "Enabled",
        "tagsAll": tag_map(tags),
    }


def _update_bucket(session: Session, identifier: str, _old: Properties, new: Properties) -> None:
    _tag_bucket(session, identifier, new.get("tagsAll", {}))


def _delete_bucket(session: Session, identifier: str, state: Properties) -> None:
    with ignoring(*_GONE):
        if state.get("forceDestroy"):
            _empty_bucket(session, identifier)
        session.s3.delete_bucket(Bucket=identifier)


def _empty_bucket(session: Session, name: str) -> None:
    """Delete every version, those under a GOVERNANCE lock too; nobody can lift a COMPLIANCE lock."""
    for page in session.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        for start in range(0, len(keys), _DELETE_BATCH):
            batch = {"Objects": keys[start : start + _DELETE_BATCH], "Quiet": True}
            answer = session.s3.delete_objects(Bucket=name, Delete=batch, BypassGovernanceRetention=True)
            if errors := answer.get("Errors"):
                raise ProviderError(
                    f"the bucket {name} cannot be emptied: {errors[0]['Key']}: "
                    f"{errors[0].get('Message', '')} ({len(errors)} in all). "
                    "Objects under a COMPLIANCE lock stay until their retention ends."
                )


def _bucket_setting(
    *,
    inputs: set[str],
    put: Callable[[Any, str, Properties], None],
    get: Callable[[Any, str], Properties | None],
    remove: Callable[[Any, str, Properties], None],
    missing: str,
    json: set[str] = frozenset(),  # type: ignore[assignment]  # an empty set that cannot change
    replace_on: set[str] = frozenset(),  # type: ignore[assignment]
    settings: set[str] = frozenset(),  # type: ignore[assignment]
) -> ResourceType:
    """A setting of a bucket: the bucket's name is its id, putting it creates and changes it.

    Args:
        inputs: Its inputs besides ``bucket``.
        put: Writes it; given the client, the bucket and the inputs.
        get: Reads it; given the client and the bucket.
        remove: Takes it away; given the client, the bucket and the last state.
        missing: The error code of a bucket without it.
        json: See `ResourceType`.
        replace_on: See `ResourceType`.
        settings: See `ResourceType`.
    """

    def create(session: Session, values: Properties) -> str:
        put(session.s3, values["bucket"], values)
        return str(values["bucket"])

    def read(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
        with ignoring(*_GONE, missing):
            found = get(session.s3, identifier)
            return None if found is None else {"bucket": identifier, **found}
        return None

    def update(session: Session, identifier: str, _old: Properties, new: Properties) -> None:
        put(session.s3, identifier, new)

    def delete(session: Session, identifier: str, state: Properties) -> None:
        with ignoring(*_GONE, missing):
            remove(session.s3, identifier, state)

    return ResourceType(
        inputs=frozenset(inputs | {"bucket"}),
        create=create,
        read=read,
        update=update,
        delete=delete,
        replace_on=frozenset(replace_on | {"bucket"}),
        identity=frozenset({"bucket"}),
        json=frozenset(json),
        settings=frozenset(settings),
    )


def _get_versioning(s3: Any, bucket: str) -> Properties | None:
    found = s3.get_bucket_versioning(Bucket=bucket)
    return {"versioningConfiguration": {"status": found["Status"]}} if "Status" in found else None


def _suspend_versioning(s3: Any, bucket: str, state: Properties) -> None:
    with ignoring("ObjectLockConfigurationNotFoundError"):
        s3.get_object_lock_configuration(Bucket=bucket)
        return  # a bucket with Object Lock keeps its versioning
    if state.get("versioningConfiguration", {}).get("status") == "Enabled":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def _put_lock(s3: Any, bucket: str, inputs: Properties) -> None:
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=_lock(inputs))


def _lock(inputs: Properties) -> dict[str, Any]:
    rule = {"Rule": to_aws(inputs["rule"])} if inputs.get("rule") else {}
    return {"ObjectLockEnabled": "Enabled", **rule}


def _get_lock(s3: Any, bucket: str) -> Properties | None:
    found = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    return {"objectLockEnabled": found["ObjectLockEnabled"], "rule": from_aws(found.get("Rule"))}


def _remove_lock(s3: Any, bucket: str, _state: Properties) -> None:
    # Object Lock itself cannot be taken off a bucket; its default retention can. The emulator, unlike AWS,
    # refuses that while the bucket holds objects.
    with ignoring("InvalidBucket"):
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=_lock({}))


def _get_replication(s3: Any, bucket: str) -> Properties:
    found = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    return {"role": found["Role"], "rules": from_aws(found["Rules"])}


_ACCESS_BLOCK = {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}

TYPES = {
    "aws:s3/bucket:Bucket": ResourceType(
        inputs=frozenset({"forceDestroy", "objectLockEnabled"}),
        create=_create_bucket,
        read=_read_bucket,
        update=_update_bucket,
        delete=_delete_bucket,
        replace_on=frozenset({"objectLockEnabled"}),
        identity=frozenset({"bucket"}),
        name="bucket",
        computed=frozenset({"arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName"}),
        settings=frozenset({"forceDestroy"}),
        tagged=True,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_setting(
        inputs={"versioningConfiguration"},
        put=lambda s3, bucket, values: s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration=to_aws(values["versioningConfiguration"])
        ),
        get=_get_versioning,
        remove=_suspend_versioning,
        missing="NoSuchBucket",
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _bucket_setting(
        inputs={"objectLockEnabled", "rule"},
        put=_put_lock,
        get=_get_lock,
        remove=_remove_lock,
        missing="ObjectLockConfigurationNotFoundError",
        replace_on={"objectLockEnabled"},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_setting(
        inputs={"rules"},
        put=lambda s3, bucket, values: s3.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": to_aws(values["rules"])}
        ),
        get=lambda s3, bucket: {
            "rules": from_aws(
                s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            )
        },
        remove=lambda s3, bucket, _state: s3.delete_bucket_encryption(Bucket=bucket),
        missing="ServerSideEncryptionConfigurationNotFoundError",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_setting(
        inputs={*_ACCESS_BLOCK, "skipDestroy"},
        put=lambda s3, bucket, values: s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration=to_aws({key: bool(values.get(key)) for key in _ACCESS_BLOCK}),
        ),
        get=lambda s3, bucket: from_aws(
            s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        ),
        remove=lambda s3, bucket, state: (
            None if state.get("skipDestroy") else s3.delete_public_access_block(Bucket=bucket)
        ),
        missing="NoSuchPublicAccessBlockConfiguration",
        settings={"skipDestroy"},
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_setting(
        inputs={"policy"},
        put=lambda s3, bucket, values: s3.put_bucket_policy(Bucket=bucket, Policy=values["policy"]),
        get=lambda s3, bucket: {"policy": s3.get_bucket_policy(Bucket=bucket)["Policy"]},
        remove=lambda s3, bucket, _state: s3.delete_bucket_policy(Bucket=bucket),
        missing="NoSuchBucketPolicy",
        json={"policy"},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_setting(
        inputs={"rules"},
        put=lambda s3, bucket, values: s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": to_aws(values["rules"])}
        ),
        get=lambda s3, bucket: {
            "rules": from_aws(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
        },
        remove=lambda s3, bucket, _state: s3.delete_bucket_lifecycle(Bucket=bucket),
        missing="NoSuchLifecycleConfiguration",
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _bucket_setting(
        inputs={"role", "rules"},
        put=lambda s3, bucket, values: s3.put_bucket_replication(
            Bucket=bucket,
            ReplicationConfiguration={"Role": values["role"], "Rules": to_aws(values["rules"])},
        ),
        get=_get_replication,
        remove=lambda s3, bucket, _state: s3.delete_bucket_replication(Bucket=bucket),
        missing="ReplicationConfigurationNotFoundError",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_setting(
        inputs={"rule"},
        put=lambda s3, bucket, values: s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [to_aws(values["rule"])]}
        ),
        get=lambda s3, bucket: {
            "rule": from_aws(s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0])
        },
        remove=lambda s3, bucket, _state: s3.delete_bucket_ownership_controls(Bucket=bucket),
        missing="OwnershipControlsNotFoundError",
    ),
}
