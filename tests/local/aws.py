"""What the tests ask of the emulator as an AWS client."""

from __future__ import annotations

import datetime as dt
from typing import Any

import boto3

from local.emulator.lifecycle import Emulator

ACCOUNT = "123456789012"
UNTIL = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
DIGEST = b"\x07" * 32


def client(emulator: Emulator, service: str, region: str = "eu-central-1", **settings: Any) -> Any:
    credentials = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=emulator.endpoint,
        **(credentials | settings),
    )


def make_bucket(s3: Any, name: str, region: str) -> None:
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": region},
        ObjectLockEnabledForBucket=True,
    )


def sign(kms: Any, key: str) -> bytes:
    answer = kms.sign(
        KeyId=key, Message=DIGEST, MessageType="DIGEST", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
    )
    return bytes(answer["Signature"])
