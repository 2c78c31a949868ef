"""What a job is told by its environment, checked once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from operations.errors import OperationsError
from operations.evidence.target import EvidenceTarget

_KEY_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"
_REGION = r"^[a-z]{2}(-[a-z]+)+-\d+$"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_RETENTION_DAYS_MAX = 36_500
"""Longest default retention that S3 Object Lock takes, in days: one hundred years."""


class SettingsError(OperationsError):
    """The environment lacks variables or holds malformed ones; the text has one line for each."""


class JobSettings(BaseSettings):
    """Environment of a job; each field's description is what its variable has to be."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    environment: Annotated[
        str,
        Field(validation_alias="DAY2_ENVIRONMENT", pattern=_LABEL, description="a DNS label such as staging"),
    ]
    region: Annotated[
        str,
        Field(validation_alias="DAY2_REGION", pattern=_REGION, description="a region such as eu-central-1"),
    ]
    aws_region: Annotated[
        str,
        Field(
            validation_alias="AWS_REGION", pattern=_REGION, description="an AWS region such as eu-central-1"
        ),
    ]
    namespace: Annotated[
        str,
        Field(
            validation_alias="DAY2_NAMESPACE", pattern=_LABEL, description="a namespace such as day2-system"
        ),
    ]
    evidence_bucket: Annotated[
        str,
        Field(
            validation_alias="DAY2_EVIDENCE_BUCKET", pattern=_BUCKET, description="the name of an S3 bucket"
        ),
    ]
    evidence_retention_days: Annotated[
        int,
        Field(
            validation_alias="DAY2_EVIDENCE_RETENTION_DAYS",
            ge=1,
            le=_RETENTION_DAYS_MAX,
            description=f"a whole number of days from 1 to {_RETENTION_DAYS_MAX}",
        ),
    ]
    evidence_lock_mode: Annotated[
        Literal["GOVERNANCE", "COMPLIANCE"],
        Field(validation_alias="DAY2_EVIDENCE_LOCK_MODE", description="GOVERNANCE or COMPLIANCE"),
    ]
    signing_key_arn: Annotated[
        str,
        Field(validation_alias="DAY2_SIGNING_KEY_ARN", pattern=_KEY_ARN, description="the ARN of a KMS key"),
    ]
    encryption_key_arn: Annotated[
        str,
        Field(
            validation_alias="DAY2_ENCRYPTION_KEY_ARN", pattern=_KEY_ARN, description="the ARN of a KMS key"
        ),
    ]
    prometheus_url: Annotated[
        AnyHttpUrl | None,
        Field(
            validation_alias="DAY2_PROMETHEUS_URL",
            description="an address such as http://prometheus.monitoring:9090, or unset",
        ),
    ] = None

    @property
    def evidence(self) -> EvidenceTarget:
        """Where this job's evidence goes and who signs it."""
        return EvidenceTarget(
            environment=self.environment,
            region=self.region,
            bucket=self.evidence_bucket,
            retention_days=self.evidence_retention_days,
            lock_mode=self.evidence_lock_mode,
            signing_key_arn=self.signing_key_arn,
            encryption_key_arn=self.encryption_key_arn,
        )


def load_settings() -> JobSettings:
    """Reads the environment.

    Raises:
        SettingsError: A variable is missing or malformed; all of them are listed.
    """
    try:
        return JobSettings()
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_problem(e["loc"], e["type"], e["input"]) for e in error.errors())
        ) from None


def _problem(location: tuple[int | str, ...], kind: str, value: object) -> str:
    variable = str(location[0])
    expected = next(
        field.description for field in JobSettings.model_fields.values() if field.validation_alias == variable
    )
    state = "is not set" if kind == "missing" else f"is {value!r}"
    return f"{variable} {state}: it has to be {expected}"
