"""Judge one IAM policy statement: action, resource, principal and condition, as AWS documents it.

moto's own judgement treats an unmet condition as a denial and an unknown operator as met; with it, the
usual "deny unless TLS" bucket policy would lock everybody out.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

Effect = Literal["Allow", "Deny"]
Context = Mapping[str, Sequence[str]]

# Stands for "the request does not say which": matches every Resource element.
ANY_RESOURCE = "*"


def effect_of(
    statement: Mapping[str, Any], *, action: str, resource: str, principal: str | None, context: Context
) -> Effect | None:
    """The effect of a statement on a request, or None where it does not apply.

    Args:
        statement: One policy statement.
        action: E.g. `s3:PutObject`.
        resource: ARN of what is acted on, or `ANY_RESOURCE`.
        principal: ARN of the caller where the statement's Principal is to be judged; None for a policy
            of the caller itself and for a caller without identity.
        context: Condition keys in lower case and their values.
    """
    if not (
        _concerns(statement, "Action", action, ignore_case=True)
        and (resource == ANY_RESOURCE or _concerns(statement, "Resource", resource, ignore_case=False))
        and _is_for(statement.get("Principal"), principal)
        and conditions_hold(statement.get("Condition") or {}, context)
    ):
        return None
    return "Allow" if statement.get("Effect") == "Allow" else "Deny"


def _concerns(statement: Mapping[str, Any], element: str, value: str, *, ignore_case: bool) -> bool:
    """Whether Action/NotAction or Resource/NotResource takes in the value; absent means all."""
    if f"Not{element}" in statement:
        return not any(_like(value, pattern, ignore_case) for pattern in _list(statement[f"Not{element}"]))
    if element not in statement:
        return True
    return any(_like(value, pattern, ignore_case) for pattern in _list(statement[element]))


def _is_for(element: Any, principal: str | None) -> bool:
    if element is None or element == "*":
        return True
    if not isinstance(element, Mapping):
        return False
    names = [str(name) for name in _list(element.get("AWS", []))]
    return "*" in names or (principal is not None and principal in names)


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all conditions of a statement are met."""
    return all(
        _condition_holds(operation, [str(value) for value in _list(expected)], context.get(key.lower()))
        for operation, keys in conditions.items()
        for key, expected in keys.items()
    )


def _condition_holds(operation: str, expected: list[str], actual: Sequence[str] | None) -> bool:
    quantifier, _, name = operation.rpartition(":")
    may_be_absent = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return all((actual is None) == (value.lower() == "true") for value in expected)
    negated = "Not" in name
    matches = _OPERATORS.get(name.replace("Not", ""))
    if matches is None:
        return False  # an unknown operator never grants and never denies
    if not actual:
        return may_be_absent or negated or quantifier == "ForAllValues"
    found = [any(_safely(matches, value, item) for item in expected) for value in actual]
    if negated:
        found = [not one for one in found]
    return any(found) if quantifier == "ForAnyValue" else all(found)


def _safely(matches: Callable[[str, str], bool], actual: str, expected: str) -> bool:
    try:
        return matches(actual, expected)
    except ValueError:  # not a number, date or address
        return False


def _like(value: str, pattern: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002 one of two ways to compare
    # fnmatch also knows [sets], which IAM does not: take brackets literally.
    expression = fnmatch.translate(str(pattern).replace("[", "[[]"))
    return re.match(expression, value, re.IGNORECASE if ignore_case else 0) is not None


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda actual, expected: compare(float(actual), float(expected))


def _dates(compare: Callable[[dt.datetime, dt.datetime], bool]) -> Callable[[str, str], bool]:
    return lambda actual, expected: compare(_date(actual), _date(expected))


def _date(text: str) -> dt.datetime:
    parsed = dt.datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


def _in_network(actual: str, expected: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)


def _same(actual: str, expected: str) -> bool:
    return actual == expected


def _same_ignoring_case(actual: str, expected: str) -> bool:
    return actual.lower() == expected.lower()


# The negated forms (StringNotEquals, ...) are derived by leaving the "Not" out.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _same_ignoring_case,
    "BinaryEquals": _same,
    "NumericEquals": _numbers(operator.eq),
    "NumericLessThan": _numbers(operator.lt),
    "NumericLessThanEquals": _numbers(operator.le),
    "NumericGreaterThan": _numbers(operator.gt),
    "NumericGreaterThanEquals": _numbers(operator.ge),
    "DateEquals": _dates(operator.eq),
    "DateLessThan": _dates(operator.lt),
    "DateLessThanEquals": _dates(operator.le),
    "DateGreaterThan": _dates(operator.gt),
    "DateGreaterThanEquals": _dates(operator.ge),
    "IpAddress": _in_network,
}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
