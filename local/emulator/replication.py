"""Bucket replication, which moto stores and returns but does not act on.

A new version in a bucket with a replication configuration is copied to the destination bucket of every
rule that takes it in: same version id, metadata, tags, retention and legal hold. A later change of tags,
retention or legal hold follows. As in AWS, an object encrypted with a KMS key is replicated only where the
rule says so (`SourceSelectionCriteria.SseKmsEncryptedObjects`), and replicas are not replicated again.

Not here: delete markers, replication time control, other accounts.
"""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends

from local.emulator.persistence import Persistence

# Under names without types: their methods are replaced below.
_BACKEND: Any = S3Backend
_KEY: Any = FakeKey

_STATUS = "replication_status"  # attribute that this module adds to moto's FakeKey


class Replication:
    """Copies versions in a thread of its own, in the order in which they were written."""

    def __init__(self, persistence: Persistence) -> None:
        self._persistence = persistence
        self._pending: queue.Queue[FakeKey] = queue.Queue()
        # Requests note what they wrote; it is taken up after the response is complete, with all metadata.
        self._request = threading.local()

    def install(self) -> None:
        """Hook into moto, resume what a killed emulator left pending, and begin."""
        self._note_new_versions()
        self._note_changes()
        _show_status()
        for key in _pending_keys():
            self._pending.put(key)
        threading.Thread(target=self._run, name="replication", daemon=True).start()

    def begin_request(self) -> None:
        """Forget what an earlier request of this thread noted."""
        self._request.written = []

    def end_request(self) -> None:
        """Queue what the request wrote."""
        for key in self._request.written:
            if next(_rules_for(key), None):
                if getattr(key, _STATUS, None) != "COMPLETED":
                    setattr(key, _STATUS, "PENDING")
                self._pending.put(key)

    def _note(self, key: FakeKey | None) -> None:
        if isinstance(key, FakeKey) and hasattr(self._request, "written") and not _is_replica(key):
            self._request.written.append(key)

    def _note_new_versions(self) -> None:
        put_object = _BACKEND.put_object

        def noted(backend: S3Backend, *args: Any, **kwargs: Any) -> FakeKey:
            key: FakeKey = put_object(backend, *args, **kwargs)
            self._note(key)
            return key

        _BACKEND.put_object = noted

    def _note_changes(self) -> None:
        def follow(name: str) -> None:
            change: Callable[..., Any] = getattr(_BACKEND, name)

            def noted(
                backend: S3Backend, bucket_name: str, key_name: str, version_id: str | None, **value: Any
            ) -> Any:
                result = change(backend, bucket_name, key_name, version_id=version_id, **value)
                self._note(backend.get_object(bucket_name, key_name, version_id=version_id))
                return result

            setattr(_BACKEND, name, noted)

        follow("put_object_retention")
        follow("put_object_legal_hold")
        put_object_tagging = _BACKEND.put_object_tagging

        def tagged(backend: S3Backend, key: FakeKey | None, *args: Any, **kwargs: Any) -> Any:
            result = put_object_tagging(backend, key, *args, **kwargs)
            self._note(key)
            return result

        _BACKEND.put_object_tagging = tagged

    def _run(self) -> None:
        while True:
            key = self._pending.get()
            with self._persistence.change():
                try:
                    replicate(key)
                except Exception as error:  # noqa: BLE001 one object that fails must not stop the others
                    setattr(key, _STATUS, "FAILED")
                    print(f"replication of {key.bucket_name}/{key.name} failed: {error!r}", flush=True)


def replicate(key: FakeKey) -> None:
    """Copy one version to every destination, or bring its copies up to date."""
    for rule in _rules_for(key):
        name = rule["Destination"]["Bucket"].rpartition(":")[2]
        destination = _buckets(key).get(name)
        if destination is None or not destination.is_versioned:
            problem = "does not exist" if destination is None else "has no versioning"
            setattr(key, _STATUS, "FAILED")
            print(f"replication of {key.bucket_name}/{key.name} failed: bucket {name} {problem}", flush=True)
            continue
        _copy(key, destination, rule)
        setattr(key, _STATUS, "COMPLETED")


def _copy(key: FakeKey, destination: FakeBucket, rule: dict[str, Any]) -> None:
    versions = destination.keys.getlist(key.name, [])
    replica = next(
        (one for one in versions if isinstance(one, FakeKey) and one.version_id == key.version_id), None
    )
    if replica is None:
        replica = copy.copy(key)  # FakeKey copies its contents into a buffer of its own
        replica.bucket_name = destination.name
        replica.region_name = destination.region_name
        replica.multipart = None  # its parts are disposed of with the original
        encryption = rule["Destination"].get("EncryptionConfiguration")
        if encryption and replica.encryption == "aws:kms":
            replica.kms_key_id = encryption["ReplicaKmsKeyID"]
        if rule["Destination"].get("StorageClass"):
            replica.set_storage_class(rule["Destination"]["StorageClass"])
        setattr(replica, _STATUS, "REPLICA")
        if not replica.lock_mode and destination.has_default_lock:
            replica.lock_mode = destination.default_lock_mode
            replica.lock_until = destination.default_retention()
        destination.keys.setlist(key.name, [*versions, replica])
    if key.lock_mode:
        replica.lock_mode, replica.lock_until = key.lock_mode, key.lock_until
    replica.lock_legal_status = key.lock_legal_status
    tagger = s3_backends[key.account_id][key.partition].tagger
    tagger.delete_all_tags_for_resource(replica.arn)
    tagger.copy_tags(key.arn, replica.arn)


def _rules_for(key: FakeKey) -> Iterator[dict[str, Any]]:
    """The rules that take in this version; of those with one destination, the highest priority."""
    bucket = _buckets(key).get(key.bucket_name or "")
    configuration = getattr(bucket, "replication", None)
    if bucket is None or not configuration or not bucket.is_versioned or _is_replica(key):
        return
    tags = s3_backends[key.account_id][key.partition].tagger.get_tag_dict_for_resource(key.arn)
    seen = set()
    for rule in sorted(configuration["Rule"], key=lambda rule: -int(rule["Priority"])):
        destination = rule["Destination"]["Bucket"]
        if destination not in seen and takes_in(
            rule, name=key.name, tags=tags, is_kms=key.encryption == "aws:kms"
        ):
            seen.add(destination)
            yield rule


def takes_in(rule: dict[str, Any], *, name: str, tags: dict[str, str], is_kms: bool) -> bool:
    """Whether a replication rule (as parsed from S3's XML) is for an object."""
    if rule["Status"] != "Enabled":
        return False
    criteria = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
    if is_kms and criteria.get("Status") != "Enabled":
        return False
    where = rule.get("Filter") or {}
    where = where.get("And") or where
    prefix = where.get("Prefix") or rule.get("Prefix") or ""
    wanted = where.get("Tag") or []
    wanted = wanted if isinstance(wanted, list) else [wanted]
    return name.startswith(prefix) and all(tags.get(tag["Key"]) == tag["Value"] for tag in wanted)


def _buckets(key: FakeKey) -> dict[str, FakeBucket]:
    buckets: dict[str, FakeBucket] = s3_backends[key.account_id][key.partition].buckets
    return buckets


def _is_replica(key: FakeKey) -> bool:
    return getattr(key, _STATUS, None) == "REPLICA"


def _pending_keys() -> Iterator[FakeKey]:
    backend: Any
    for _account, _partition, backend in list(s3_backends.iter_backends()):
        for bucket in list(backend.buckets.values()):
            for _name, versions in list(bucket.keys.lists()):
                yield from (key for key in versions if getattr(key, _STATUS, None) == "PENDING")


def _show_status() -> None:
    """Answer GetObject and HeadObject with x-amz-replication-status."""
    response_dict = _KEY.response_dict.fget

    def with_status(key: FakeKey) -> dict[str, Any]:
        headers: dict[str, Any] = response_dict(key)
        status = getattr(key, _STATUS, None)
        return headers | {"x-amz-replication-status": status} if status else headers

    _KEY.response_dict = property(with_status)
