"""aws-s3-evidence-object-lock: evidence buckets are made with Object Lock, which can't be added later."""

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

_TYPE = "aws:s3/bucket:Bucket"
_COMPONENT_TAG = "day2:component"


def lacks_object_lock(props: Mapping[str, Any]) -> bool:
    """Whether a bucket holds evidence by its tag, but is made without Object Lock.

    Args:
        props: Inputs of the bucket.
    """
    tags = props.get("tags") or {}
    return tags.get(_COMPONENT_TAG) == "evidence" and props.get("objectLockEnabled") is not True


def _validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type == _TYPE and lacks_object_lock(args.props):
        report_violation(
            f"{args.name} holds evidence that could be deleted: set objectLockEnabled to true.", None
        )


S3_EVIDENCE_OBJECT_LOCK = ResourceValidationPolicy(
    name="aws-s3-evidence-object-lock",
    description="Evidence can't be deleted before its retention ends.",
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    validate=_validate,
)
