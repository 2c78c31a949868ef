from __future__ import annotations

from typing import Any

import pytest

from local.emulator.policy import ANY_RESOURCE, conditions_hold, effect_of
from local.emulator.replication import takes_in

OBJECT = "arn:aws:s3:::evidence/packs/a"


def effect(
    statement: dict[str, Any], *, action: str = "s3:PutObject", resource: str = OBJECT, **rest: Any
) -> Any:
    settings: dict[str, Any] = {"principal": None, "context": {}} | rest
    return effect_of({"Effect": "Allow"} | statement, action=action, resource=resource, **settings)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "s3:PutObject", "Resource": "*"}, "Allow"),
        ({"Action": "S3:putobject", "Resource": "*"}, "Allow"),  # actions ignore case
        ({"Action": ["s3:Get*", "s3:Put*"], "Resource": "arn:aws:s3:::evidence/*"}, "Allow"),
        ({"Action": "s3:PutObjec?", "Resource": OBJECT}, "Allow"),
        ({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::evidence"}, None),
        ({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::EVIDENCE/*"}, None),  # resources do not
        ({"Action": "s3:GetObject", "Resource": "*"}, None),
        ({"NotAction": "s3:GetObject", "Resource": "*"}, "Allow"),
        ({"NotAction": "s3:Put*", "Resource": "*"}, None),
        ({"Action": "*", "NotResource": "arn:aws:s3:::evidence/*"}, None),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "Deny"),
        ({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"k": "true"}}}, None),
    ],
)
def test_a_statement_has_an_effect_only_on_what_it_names(
    statement: dict[str, Any], expected: str | None
) -> None:
    assert effect(statement) == expected


def test_an_unknown_resource_is_judged_by_the_action_alone() -> None:
    assert effect({"Action": "s3:*", "Resource": OBJECT}, resource=ANY_RESOURCE) == "Allow"


def test_a_principal_is_matched_where_the_statement_names_one() -> None:
    caller = "arn:aws:iam::123456789012:role/job"
    named = {"Action": "*", "Resource": "*", "Principal": {"AWS": [caller]}}
    assert effect(named, principal=caller) == "Allow"
    assert effect(named, principal=f"{caller}2") is None
    assert effect(named) is None
    assert effect(named | {"Principal": {"AWS": "*"}}) == "Allow"
    assert effect(named | {"Principal": {"Service": "s3.amazonaws.com"}}, principal=caller) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, False),
        ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-central-1"]}}, False),
        ({"StringLike": {"aws:RequestedRegion": "eu-*"}}, True),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringNotEquals": {"absent": "x"}}, True),
        ({"StringEqualsIfExists": {"absent": "x"}}, True),
        ({"Null": {"absent": "true", "aws:RequestedRegion": "false"}}, True),
        ({"Null": {"aws:RequestedRegion": "true"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThanEquals": {"days": "30"}}, True),
        ({"NumericGreaterThan": {"days": 30}}, False),
        ({"NumericEquals": {"aws:RequestedRegion": "30"}}, False),
        ({"DateGreaterThan": {"until": "2026-01-01T00:00:00Z"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
        ({"ForAnyValue:StringEquals": {"keys": ["b", "c"]}}, True),
        ({"ForAllValues:StringEquals": {"keys": ["b", "c"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": ["b"]}}, True),
        ({"SomethingNew": {"keys": "a"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"absent": "x"}}, False),
    ],
)
def test_conditions_are_judged_as_aws_documents_them(condition: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 a column of the table
    context = {
        "aws:requestedregion": ["eu-central-1"],
        "aws:securetransport": ["true"],
        "aws:sourceip": ["127.0.0.1"],
        "days": ["30"],
        "until": ["2027-01-01T00:00:00"],
        "keys": ["a", "b"],
    }
    assert conditions_hold(condition, context) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, True),
        ({"Status": "Disabled"}, False),
        ({"Filter": {"Prefix": None}}, True),
        ({"Filter": {"Prefix": "evidence/"}}, True),
        ({"Filter": {"Prefix": "other/"}}, False),
        ({"Prefix": "other/"}, False),
        ({"Filter": {"Tag": {"Key": "tier", "Value": "1"}}}, True),
        ({"Filter": {"And": {"Prefix": "evidence/", "Tag": [{"Key": "tier", "Value": "2"}]}}}, False),
    ],
)
def test_a_replication_rule_takes_in_what_its_filter_says(rule: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 a column of the table
    whole = {"Status": "Enabled"} | rule
    assert takes_in(whole, name="evidence/a", tags={"tier": "1"}, is_kms=False) is expected
    assert takes_in(whole, name="evidence/a", tags={"tier": "1"}, is_kms=True) is False
    criteria = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
    assert takes_in(whole | criteria, name="evidence/a", tags={"tier": "1"}, is_kms=True) is expected
