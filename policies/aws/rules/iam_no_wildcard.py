"""aws-iam-no-wildcard: no IAM policy allows all actions, or all actions of a service, on everything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

_TYPES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy")


def wildcards(document: Any) -> list[str]:
    """Actions with a wildcard that a policy document allows on every resource.

    Args:
        document: The policy as JSON text or as an object; anything else, such as a value that a preview
            does not know yet, has none.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return []
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    return [
        action
        for statement in _list(statements)
        if isinstance(statement, Mapping)
        and statement.get("Effect") == "Allow"
        and "*" in _list(statement.get("Resource"))
        for action in _list(statement.get("Action"))
        if action == "*" or str(action).endswith(":*")
    ]


def _list(value: Any) -> list[Any]:
    """IAM writes a list of one as the one; the engine hands lists in a proxy."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type in _TYPES:
        for action in wildcards(args.props.get("policy")):
            report_violation(
                f"{args.name} allows {action} on every resource: name the actions and the ARNs.", None
            )


IAM_NO_WILDCARD = ResourceValidationPolicy(
    name="aws-iam-no-wildcard",
    description="Rights are named one by one.",
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    validate=_validate,
)
