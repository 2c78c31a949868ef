from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator.client import enforce_iam
from local.emulator.lifecycle import Emulator
from local.errors import PlatformError
from tests.local.aws import UNTIL, client, make_bucket, sign

pytestmark = pytest.mark.engine


class Job:
    """A role, assumed with a web identity, and what it may do."""

    def __init__(self, emulator: Emulator) -> None:
        self.iam = client(emulator, "iam")
        self.emulator = emulator
        self.role = self.iam.create_role(RoleName="job", AssumeRolePolicyDocument="{}")["Role"]["Arn"]

    def allow(self, *statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | one for one in statements]}
        self.iam.put_role_policy(RoleName="job", PolicyName="job", PolicyDocument=json.dumps(document))

    def client(self, service: str) -> Any:
        sts = client(self.emulator, "sts", config=Config(signature_version=UNSIGNED))
        credentials = sts.assume_role_with_web_identity(
            RoleArn=self.role, RoleSessionName="job", WebIdentityToken="token"
        )["Credentials"]
        return client(
            self.emulator,
            service,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )


def test_enforced_iam_lets_a_web_identity_do_what_its_role_allows_and_nothing_else(
    emulator: Emulator,
) -> None:
    s3, kms = client(emulator, "s3"), client(emulator, "kms")
    make_bucket(s3, "evidence", "eu-central-1")
    key, other = (kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY") for _ in range(2))
    key, other = key["KeyMetadata"]["Arn"], other["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/evidence", TargetKeyId=key)
    job = Job(emulator)
    job.allow(
        {"Action": ["s3:PutObject", "s3:PutObjectRetention"], "Resource": "arn:aws:s3:::evidence/packs/*"},
        {"Action": "kms:Sign", "Resource": key},
    )
    enforce_iam(emulator.endpoint, on=True)
    job_s3, job_kms = job.client("s3"), job.client("kms")

    job_s3.put_object(
        Bucket="evidence",
        Key="packs/a b+ü",
        Body=b"x",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=UNTIL,
    )
    assert sign(job_kms, "alias/evidence") == sign(job_kms, key)
    for denied in (
        lambda: job_s3.put_object(Bucket="evidence", Key="elsewhere", Body=b"x"),
        lambda: job_s3.put_object(Bucket="evidence", Key="packs/t", Body=b"x", Tagging="a=b"),
        lambda: job_s3.get_object(Bucket="evidence", Key="packs/a b+ü"),
        lambda: job_s3.list_objects_v2(Bucket="evidence"),
        lambda: job_s3.get_bucket_encryption(Bucket="evidence"),
        lambda: sign(job_kms, other),
        lambda: job_kms.get_public_key(KeyId=key),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied.* is not authorized to perform"):
            denied()
    with pytest.raises(ClientError, match="403"):
        job_s3.head_object(Bucket="evidence", Key="packs/a b+ü")


def test_an_action_taken_away_is_missed_at_once_and_switching_off_allows_everything(
    emulator: Emulator,
) -> None:
    make_bucket(client(emulator, "s3"), "evidence", "eu-central-1")
    job = Job(emulator)
    job.allow({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::evidence/*"})
    enforce_iam(emulator.endpoint, on=True)
    s3 = job.client("s3")
    s3.put_object(Bucket="evidence", Key="a", Body=b"x")
    job.allow({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::evidence/*"})
    with pytest.raises(ClientError, match="not authorized to perform: s3:PutObject"):
        s3.put_object(Bucket="evidence", Key="a", Body=b"x")
    enforce_iam(emulator.endpoint, on=False)
    assert s3.put_object(Bucket="evidence", Key="a", Body=b"x")["VersionId"]


def test_writing_to_a_kms_encrypted_bucket_needs_the_key_too(emulator: Emulator) -> None:
    s3 = client(emulator, "s3")
    make_bucket(s3, "evidence", "eu-central-1")
    key = client(emulator, "kms").create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket="evidence",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    job = Job(emulator)
    write = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::evidence/*"}
    job.allow(write)
    enforce_iam(emulator.endpoint, on=True)
    job_s3 = job.client("s3")
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        job_s3.put_object(Bucket="evidence", Key="a", Body=b"x")
    job.allow(write, {"Action": "kms:GenerateDataKey", "Resource": key})
    assert job_s3.put_object(Bucket="evidence", Key="a", Body=b"x")["SSEKMSKeyId"] == key


def test_enforcement_without_an_emulator_is_one_clear_error() -> None:
    with pytest.raises(PlatformError, match="could not be switched on"):
        enforce_iam("http://127.0.0.1:9", on=True)
