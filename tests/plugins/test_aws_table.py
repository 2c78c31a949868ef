"""The table of AWS types: it agrees with the SDK, and what it makes can be made again."""

import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from local.plugins.aws.backend import TYPES, AwsBackend
from local.plugins.aws.resource import canonical_json
from local.plugins.properties import Properties
from local.plugins.provider import ProviderError, Resource

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "s3.amazonaws.com"}}
        ],
    }
)
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}
)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsBackend]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = AwsBackend()
        made.configure({"region": "eu-central-1", "defaultTags": {"tags": {"owner": "platform"}}})
        yield made


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK deprecates its own modules
@pytest.mark.parametrize("token", sorted(TYPES))
def test_every_entry_names_a_type_of_the_sdk_and_its_inputs(token: str) -> None:
    _, module, name = token.split(":")
    sdk: Any = importlib.import_module(f"pulumi_aws.{module.split('/')[0]}")
    resource = getattr(sdk, name)
    assert resource.pulumi_type == token
    known = {camel(key) for key in inspect.signature(resource._internal_init).parameters}  # noqa: SLF001 only there
    entry = TYPES[token]
    generated = {f"{entry.name}Prefix"} if entry.name else set()
    unknown = entry.accepted - known - {"tagsAll"} - generated
    assert not unknown
    assert entry.replacing - generated <= entry.accepted | {entry.name}


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("aws:s3/bucket:Bucket", {"bucket": "made-twice", "objectLockEnabled": True}),
        ("aws:iam/role:Role", {"name": "role", "assumeRolePolicy": TRUST, "description": "of the job"}),
        ("aws:iam/policy:Policy", {"name": "policy", "policy": DOCUMENT}),
        (
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://oidc.example.com/1", "clientIdLists": ["sts.amazonaws.com"]},
        ),
    ],
)
def test_what_a_killed_update_left_behind_is_adopted(
    backend: AwsBackend, token: str, inputs: Properties
) -> None:
    resource = Resource("urn", token, "name")
    inputs, failures = backend.check(resource, {}, inputs, b"1234")
    assert not failures
    first = backend.create(resource, inputs, preview=False, timeout_seconds=1)
    changed = {**inputs, "tagsAll": {"owner": "other"}}
    identifier, outputs = backend.create(resource, changed, preview=False, timeout_seconds=1)
    assert identifier == first[0]
    assert outputs["tagsAll"] == {"owner": "other"}


def test_a_key_waiting_for_its_deletion_is_gone(backend: AwsBackend) -> None:
    resource = Resource("urn", "aws:kms/key:Key", "signing")
    inputs = {"deletionWindowInDays": 7, "tagsAll": {}}
    identifier, outputs = backend.create(resource, inputs, preview=False, timeout_seconds=1)
    assert backend.read(resource, identifier, inputs, outputs) is not None
    backend.delete(resource, identifier, inputs, outputs, timeout_seconds=1)
    assert backend.read(resource, identifier, inputs, outputs) is None
    backend.delete(resource, identifier, inputs, outputs, timeout_seconds=1)


def test_a_bucket_without_force_destroy_keeps_its_objects(backend: AwsBackend) -> None:
    import boto3  # noqa: PLC0415 after moto has taken hold

    resource = Resource("urn", "aws:s3/bucket:Bucket", "bucket")
    inputs = {"bucket": "full", "tagsAll": {}}
    identifier, outputs = backend.create(resource, inputs, preview=False, timeout_seconds=1)
    boto3.client("s3", region_name="eu-central-1").put_object(Bucket="full", Key="k", Body=b"")
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        backend.delete(resource, identifier, inputs, outputs, timeout_seconds=1)
    backend.delete(resource, identifier, {**inputs, "forceDestroy": True}, outputs, timeout_seconds=1)
    assert backend.read(resource, identifier, inputs, outputs) is None


def test_generated_names_last_and_are_lower_case_for_buckets(backend: AwsBackend) -> None:
    bucket = Resource("urn", "aws:s3/bucket:Bucket", "Evidence")
    inputs, _ = backend.check(bucket, {}, {"tags": {"a": "b"}}, bytes.fromhex("0badcafe"))
    assert inputs["bucket"] == "evidence-0badcaf"
    assert inputs["tagsAll"] == {"owner": "platform", "a": "b"}
    again, _ = backend.check(bucket, inputs, {}, b"9999")
    assert again["bucket"] == "evidence-0badcaf"
    alias = Resource("urn", "aws:kms/alias:Alias", "signing")
    assert backend.check(alias, {}, {}, b"1234")[0]["name"].startswith("alias/signing-")


def test_policy_documents_are_compared_by_meaning() -> None:
    one = '{"Statement": [{"Action": ["b", "a"], "Effect": "Allow"}]}'
    other = '{"Statement":{"Effect":"Allow","Action":["a","b"]}}'
    assert canonical_json(one) == canonical_json(other)
    assert canonical_json(one) != canonical_json(other.replace("Allow", "Deny"))
