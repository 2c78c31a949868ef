"""aws-s3-public-access-blocked: a bucket's public access block has all four locks closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

_TYPE = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_LOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def open_locks(props: Mapping[str, Any]) -> list[str]:
    """Names of the settings that are missing or not true.

    Args:
        props: Inputs of the public access block.
    """
    return [lock for lock in _LOCKS if props.get(lock) is not True]


def _validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type == _TYPE:
        for lock in open_locks(args.props):
            report_violation(f"{args.name} leaves its bucket open to the public: set {lock} to true.", None)


S3_PUBLIC_ACCESS_BLOCKED = ResourceValidationPolicy(
    name="aws-s3-public-access-blocked",
    description="Buckets are never public.",
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    validate=_validate,
)
