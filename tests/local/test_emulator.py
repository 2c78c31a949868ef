from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local import ports, processes
from local.emulator.lifecycle import NAME, Emulator, emulator_status, start_emulator, stop_emulator
from local.errors import PlatformError
from local.workspace import Workspace
from tests.local.aws import ACCOUNT, DIGEST, UNTIL, client, make_bucket, sign

pytestmark = pytest.mark.engine


def replicated_buckets(emulator: Emulator, **rule: Any) -> tuple[Any, Any]:
    source, destination = client(emulator, "s3"), client(emulator, "s3", "eu-west-1")
    make_bucket(source, "source", "eu-central-1")
    make_bucket(destination, "replica", "eu-west-1")
    source.put_bucket_replication(
        Bucket="source",
        ReplicationConfiguration={
            "Role": f"arn:aws:iam::{ACCOUNT}:role/replication",
            "Rules": [
                {
                    "ID": "all",
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": "arn:aws:s3:::replica"},
                }
                | rule
            ],
        },
    )
    return source, destination


def eventually(probe: Callable[[], Any], seconds: float = 5) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return probe()
        except (ClientError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def kill(workspace: Workspace) -> None:
    record = processes.find(workspace, NAME)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(record.pid)], timeout=10)


def test_it_starts_within_five_seconds_and_a_second_start_changes_nothing(workspace: Workspace) -> None:
    first = start_emulator(workspace)
    second = start_emulator(workspace)
    assert first.seconds < 20  # 1 s on an idle machine, where 5 s is the figure to reach
    assert (first.started, second.started) == (True, False)
    assert second.endpoint == first.endpoint
    assert emulator_status(workspace).ready


def test_it_answers_on_loopback_only(workspace: Workspace, own_emulator: Emulator) -> None:
    assert own_emulator.started
    record = processes.find(workspace, NAME)
    assert record is not None
    listening = [
        one.laddr.ip for one in psutil.Process(record.pid).net_connections() if one.status == "LISTEN"
    ]
    assert listening == ["127.0.0.1"]


def test_a_killed_emulator_comes_back_with_objects_keys_and_roles(
    workspace: Workspace, own_emulator: Emulator
) -> None:
    s3, kms, iam = (client(own_emulator, service) for service in ("s3", "kms", "iam"))
    make_bucket(s3, "kept", "eu-central-1")
    first = s3.put_object(
        Bucket="kept", Key="a", Body=b"one", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL
    )["VersionId"]
    second = s3.put_object(Bucket="kept", Key="a", Body=b"two", Metadata={"step": "2"})["VersionId"]
    key = kms.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signature = sign(kms, key)
    iam.create_role(RoleName="kept", AssumeRolePolicyDocument="{}")
    time.sleep(1.5)  # it may be a second behind
    kill(workspace)

    again = start_emulator(workspace)

    assert again.started
    assert again.endpoint == own_emulator.endpoint
    versions = s3.list_object_versions(Bucket="kept")["Versions"]
    assert [version["VersionId"] for version in versions] == [second, first]
    assert s3.get_object(Bucket="kept", Key="a", VersionId=first)["Body"].read() == b"one"
    assert s3.head_object(Bucket="kept", Key="a")["Metadata"] == {"step": "2"}
    retention = s3.get_object_retention(Bucket="kept", Key="a", VersionId=first)["Retention"]
    assert (retention["Mode"], retention["RetainUntilDate"].year) == ("GOVERNANCE", 2099)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="kept", Key="a", VersionId=first)
    assert kms.verify(
        KeyId=key,
        Message=DIGEST,
        MessageType="DIGEST",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
        Signature=signature,
    )["SignatureValid"]
    assert sign(kms, key) == signature  # PKCS#1 v1.5 is deterministic: the very same key
    assert iam.get_role(RoleName="kept")["Role"]["RoleName"] == "kept"


@pytest.mark.parametrize("scheme", ["PKCS1_V1_5", "PSS"])
def test_a_signature_of_a_digest_verifies_in_kms_and_outside_of_it(emulator: Emulator, scheme: str) -> None:
    kms = client(emulator, "kms")
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    message = b"evidence"
    request = {
        "KeyId": key,
        "Message": hashlib.sha256(message).digest(),
        "MessageType": "DIGEST",
        "SigningAlgorithm": f"RSASSA_{scheme}_SHA_256",
    }
    signature = kms.sign(**request)["Signature"]

    public_key = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public_key, rsa.RSAPublicKey)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    public_key.verify(signature, message, pss if scheme == "PSS" else padding.PKCS1v15(), hashes.SHA256())
    raw = request | {"Message": message, "MessageType": "RAW"}
    assert kms.verify(Signature=signature, **request)["SignatureValid"]
    assert kms.verify(Signature=signature, **raw)["SignatureValid"]
    with pytest.raises(ClientError, match="invalid length"):
        kms.sign(**request | {"Message": b"short"})


def test_stopping_saves_what_was_written_a_moment_before(
    workspace: Workspace, own_emulator: Emulator
) -> None:
    s3 = client(own_emulator, "s3")
    make_bucket(s3, "late", "eu-central-1")
    s3.put_object(Bucket="late", Key="a", Body=b"now")
    assert stop_emulator(workspace)
    start_emulator(workspace)
    assert s3.get_object(Bucket="late", Key="a")["Body"].read() == b"now"


def test_an_unreadable_snapshot_is_set_aside_and_named_in_the_log(
    workspace: Workspace, own_emulator: Emulator
) -> None:
    client(own_emulator, "s3").create_bucket(
        Bucket="gone", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    stop_emulator(workspace)
    state = workspace.emulator / "state.pickle"
    state.write_bytes(state.read_bytes()[:50])

    assert start_emulator(workspace).started

    assert client(own_emulator, "s3").list_buckets()["Buckets"] == []
    aside = list(workspace.emulator.glob("*.unreadable-*"))
    assert len(aside) == 1
    assert str(aside[0]) in processes.log_path(workspace, NAME).read_text()


def test_a_taken_port_is_an_error_that_names_port_and_holder(
    workspace: Workspace, own_emulator: Emulator
) -> None:
    assert own_emulator.started
    stop_emulator(workspace)
    port = ports.recorded(workspace)[NAME]
    with (
        socket.create_server((ports.LOOPBACK, port)),
        pytest.raises(PlatformError, match=rf"port {port}.* is taken by .*\(pid {os.getpid()}\)"),
    ):
        start_emulator(workspace)


def test_a_new_version_is_replicated_with_version_id_metadata_tags_and_retention(emulator: Emulator) -> None:
    source, destination = replicated_buckets(emulator)
    version = source.put_object(
        Bucket="source",
        Key="pack.json",
        Body=b"evidence",
        Metadata={"kind": "pack"},
        Tagging="tier=1",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=UNTIL,
    )["VersionId"]

    replica = eventually(lambda: destination.get_object(Bucket="replica", Key="pack.json", VersionId=version))

    assert replica["Body"].read() == b"evidence"
    assert replica["Metadata"] == {"kind": "pack"}
    assert replica["ReplicationStatus"] == "REPLICA"
    assert replica["ObjectLockMode"] == "GOVERNANCE"
    tags = destination.get_object_tagging(Bucket="replica", Key="pack.json", VersionId=version)
    assert tags["TagSet"] == [{"Key": "tier", "Value": "1"}]
    with pytest.raises(ClientError, match="AccessDenied"):
        destination.delete_object(Bucket="replica", Key="pack.json", VersionId=version)
    assert source.head_object(Bucket="source", Key="pack.json")["ReplicationStatus"] == "COMPLETED"


def test_copies_and_multipart_uploads_are_replicated_and_later_retention_follows(emulator: Emulator) -> None:
    source, destination = replicated_buckets(emulator)
    source.put_object(Bucket="source", Key="a", Body=b"a")
    source.copy_object(Bucket="source", Key="copied", CopySource={"Bucket": "source", "Key": "a"})
    upload = source.create_multipart_upload(Bucket="source", Key="parts")["UploadId"]
    part = source.upload_part(Bucket="source", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    source.complete_multipart_upload(
        Bucket="source",
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )

    def contents(key: str) -> bytes:
        return bytes(destination.get_object(Bucket="replica", Key=key)["Body"].read())

    assert eventually(lambda: contents("copied")) == b"a"
    assert eventually(lambda: contents("parts")) == b"part"

    source.put_object_retention(
        Bucket="source", Key="parts", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL}
    )

    def retained() -> None:
        assert destination.get_object_retention(Bucket="replica", Key="parts")["Retention"]["Mode"]

    eventually(retained)


def test_only_what_the_rule_takes_in_is_replicated(emulator: Emulator) -> None:
    source, destination = replicated_buckets(emulator, Filter={"Prefix": "evidence/"})
    source.put_object(Bucket="source", Key="other/a", Body=b"no")
    source.put_object(
        Bucket="source", Key="evidence/kms", Body=b"no", ServerSideEncryption="aws:kms", SSEKMSKeyId="k"
    )
    source.put_object(Bucket="source", Key="evidence/a", Body=b"yes")
    eventually(lambda: destination.head_object(Bucket="replica", Key="evidence/a"))
    listed = destination.list_objects_v2(Bucket="replica")["Contents"]
    # The encrypted one: the rule has no SourceSelectionCriteria for KMS.
    assert [one["Key"] for one in listed] == ["evidence/a"]


def test_a_replication_configuration_reads_back_as_it_was_put(emulator: Emulator) -> None:
    criteria = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
    where = {"Bucket": "arn:aws:s3:::replica", "EncryptionConfiguration": {"ReplicaKmsKeyID": key}}
    source, _ = replicated_buckets(emulator, SourceSelectionCriteria=criteria, Destination=where)
    rule = source.get_bucket_replication(Bucket="source")["ReplicationConfiguration"]["Rules"][0]
    assert rule["SourceSelectionCriteria"] == criteria
    assert rule["Destination"] == where
    assert rule["Filter"] == {"Prefix": ""}


def test_a_tls_only_bucket_policy_lets_requests_pass(emulator: Emulator) -> None:
    s3 = client(emulator, "s3")
    make_bucket(s3, "tls", "eu-central-1")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls", "arn:aws:s3:::tls/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    s3.put_object(Bucket="tls", Key="a", Body=b"in")
    assert s3.get_object(Bucket="tls", Key="a")["Body"].read() == b"in"
