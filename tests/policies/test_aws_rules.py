"""The rules of the pack `policies/aws`, called as the engine calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import (
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_STRING_VALUE,
    UnknownValueError,
    unknown_checking_proxy,
)

import policies.aws.rules as pack
from local.recording import record_platform, stack_inputs
from policies.aws.rules import RULES
from policies.aws.rules.iam_no_wildcard import IAM_NO_WILDCARD
from policies.aws.rules.s3_evidence_object_lock import S3_EVIDENCE_OBJECT_LOCK
from policies.aws.rules.s3_public_access_blocked import S3_PUBLIC_ACCESS_BLOCKED

BUCKET = "aws:s3/bucket:Bucket"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
LOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
CLOSED = dict.fromkeys(LOCKS, True)
EVIDENCE = {"day2:component": "evidence"}


def violations(rule: ResourceValidationPolicy, resource_type: str, props: dict[str, Any]) -> list[str]:
    """What a rule reports on a resource called `thing`; the engine hands properties in a proxy as well."""
    found: list[str] = []
    args = ResourceValidationArgs(
        resource_type=resource_type,
        props=unknown_checking_proxy(props),
        urn=f"urn:pulumi:test::day2::{resource_type}::thing",
        name="thing",
        opts=PolicyResourceOptions(
            protect=False,
            ignore_changes=[],
            delete_before_replace=None,
            aliases=[],
            custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
            additional_secret_outputs=[],
        ),
        provider=None,
    )

    def report(message: str, _urn: str | None) -> None:
        found.append(message)

    assert rule.validate(args, report) is None
    return found


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"], **changes}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    "resource_type", [ROLE_POLICY, "aws:iam/policy:Policy", "aws:iam/userPolicy:UserPolicy"]
)
@pytest.mark.parametrize("action", ["*", "s3:*", "*:*"])
def test_all_actions_on_everything_are_refused(resource_type: str, action: str) -> None:
    props = {"policy": document(statement(Action=[action]))}
    assert violations(IAM_NO_WILDCARD, resource_type, props) == [
        f"thing allows {action} on every resource: name the actions and the ARNs."
    ]


def test_every_wildcard_of_every_statement_is_told() -> None:
    policy = document(statement(Action=["s3:*", "kms:Sign"]), statement(Action=["kms:*"]))
    assert [v.split()[2] for v in violations(IAM_NO_WILDCARD, ROLE_POLICY, {"policy": policy})] == [
        "s3:*",
        "kms:*",
    ]


def test_iams_short_form_of_a_list_of_one_is_understood() -> None:
    policy = json.dumps({"Statement": statement(Action="*", Resource="*")})
    assert violations(IAM_NO_WILDCARD, ROLE_POLICY, {"policy": policy}) == [
        "thing allows * on every resource: name the actions and the ARNs."
    ]


@pytest.mark.parametrize(
    "harmless",
    [
        statement(),
        statement(Action=["s3:*"], Resource=["arn:aws:s3:::one/*"]),
        statement(Effect="Deny", Action=["*"]),
        statement(Action=["s3:Get*"]),
    ],
    ids=["named actions", "named resource", "deny", "prefix of actions"],
)
def test_named_rights_pass(harmless: dict[str, Any]) -> None:
    assert violations(IAM_NO_WILDCARD, ROLE_POLICY, {"policy": document(harmless)}) == []


@pytest.mark.parametrize(
    "policy", ["", "not JSON", "[]", "3", "{}", '{"Statement": null}', '{"Statement": [1]}']
)
def test_what_is_no_policy_document_passes(policy: str) -> None:
    # IAM refuses it itself; the rule must not fail on it.
    assert violations(IAM_NO_WILDCARD, ROLE_POLICY, {"policy": policy}) == []


def test_a_policy_given_as_an_object_is_judged_too() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]}
    assert len(violations(IAM_NO_WILDCARD, ROLE_POLICY, {"policy": policy})) == 1


def test_an_evidence_bucket_without_object_lock_is_refused() -> None:
    expected = ["thing holds evidence that could be deleted: set objectLockEnabled to true."]
    assert violations(S3_EVIDENCE_OBJECT_LOCK, BUCKET, {"tags": EVIDENCE}) == expected
    assert (
        violations(S3_EVIDENCE_OBJECT_LOCK, BUCKET, {"tags": EVIDENCE, "objectLockEnabled": False})
        == expected
    )


@pytest.mark.parametrize(
    "props",
    [
        {"tags": EVIDENCE, "objectLockEnabled": True},
        {"tags": {"day2:component": "logs"}},
        {"tags": {}},
        {"tags": None},
        {},
    ],
)
def test_a_locked_bucket_and_one_without_evidence_pass(props: dict[str, Any]) -> None:
    assert violations(S3_EVIDENCE_OBJECT_LOCK, BUCKET, props) == []


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("value", [False, None, "missing"])
def test_each_open_lock_is_named(lock: str, value: object) -> None:
    props = {**CLOSED, lock: value}
    if value == "missing":
        del props[lock]
    assert violations(S3_PUBLIC_ACCESS_BLOCKED, PUBLIC_ACCESS, props) == [
        f"thing leaves its bucket open to the public: set {lock} to true."
    ]


def test_a_public_access_block_without_settings_names_all_four() -> None:
    assert len(violations(S3_PUBLIC_ACCESS_BLOCKED, PUBLIC_ACCESS, {})) == 4


def test_a_closed_public_access_block_passes() -> None:
    assert violations(S3_PUBLIC_ACCESS_BLOCKED, PUBLIC_ACCESS, dict(CLOSED)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("resource_type", ["aws:sqs/queue:Queue", "kubernetes:core/v1:ConfigMap"])
def test_a_rule_leaves_resources_of_other_types_alone(
    rule: ResourceValidationPolicy, resource_type: str
) -> None:
    everything_wrong = {"policy": document(statement(Action="*")), "tags": EVIDENCE, **dict.fromkeys(LOCKS)}
    assert violations(rule, resource_type, everything_wrong) == []


@pytest.mark.parametrize(
    ("rule", "resource_type", "props", "path"),
    [
        (IAM_NO_WILDCARD, ROLE_POLICY, {"policy": UNKNOWN_STRING_VALUE}, "policy"),
        (
            S3_EVIDENCE_OBJECT_LOCK,
            BUCKET,
            {"tags": EVIDENCE, "objectLockEnabled": UNKNOWN_BOOLEAN_VALUE},
            "objectLockEnabled",
        ),
        (
            S3_PUBLIC_ACCESS_BLOCKED,
            PUBLIC_ACCESS,
            {**CLOSED, "blockPublicAcls": UNKNOWN_BOOLEAN_VALUE},
            "blockPublicAcls",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, ResourceValidationPolicy) else "",
)
def test_a_value_that_a_preview_does_not_know_is_reported_as_such(
    rule: ResourceValidationPolicy, resource_type: str, props: dict[str, Any], path: str
) -> None:
    # The engine makes advice of it, "can't run policy during preview", and the update judges.
    with pytest.raises(UnknownValueError) as caught:
        violations(rule, resource_type, props)
    assert f".{path} can't be known during preview" in caught.value.message


def test_every_rule_file_is_in_the_pack() -> None:
    files = {path.stem for path in Path(str(pack.__file__)).parent.glob("*.py")} - {"__init__"}
    assert {rule.name.removeprefix("aws-").replace("-", "_") for rule in RULES} == files


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_mandatory_and_says_what_for(rule: ResourceValidationPolicy) -> None:
    assert re.fullmatch(r"aws-[a-z0-9-]+", rule.name)
    assert rule.description.endswith(".")
    assert rule.enforcement_level is not None
    assert rule.enforcement_level.name == "MANDATORY"
    assert rule.severity is not None


def test_the_rules_pass_on_everything_that_the_shipped_stacks_register() -> None:
    settings, catalogue = stack_inputs("staging")
    recording = record_platform(settings, catalogue, stack="staging")
    judged = [found for found in recording.registrations if found.custom]
    assert {found.type for found in judged} >= {BUCKET, PUBLIC_ACCESS, ROLE_POLICY}
    told = [v for rule in RULES for found in judged for v in violations(rule, found.type, found.inputs)]
    assert told == []
