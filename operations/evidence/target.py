"""Where evidence goes: bucket, lock and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True, kw_only=True)
class EvidenceTarget:
    """Where one environment's evidence of one region goes.

    Attributes:
        environment: Name of the environment, part of what is signed.
        region: Region that the evidence is about, part of what is signed.
        bucket: Versioned S3 bucket with Object Lock.
        retention_days: Days for which no version may be deleted, from the time of signing.
        lock_mode: Object Lock mode; COMPLIANCE can't be undone by anyone.
        signing_key_arn: Asymmetric KMS key, RSA, for signing.
        encryption_key_arn: Symmetric KMS key for the objects, None for the bucket's default.
    """

    environment: str
    region: str
    bucket: str
    retention_days: int
    lock_mode: LockMode
    signing_key_arn: str
    encryption_key_arn: str | None = None

    def __post_init__(self) -> None:
        if self.retention_days < 1:
            raise ValueError(f"retention_days is {self.retention_days}: it has to be at least 1")
