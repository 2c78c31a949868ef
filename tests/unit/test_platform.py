"""The whole platform, registered without an engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from catalog.load import Catalogue
from components.config import Settings
from components.region import OPERATIONS_NAMESPACE
from local.recording import Recording, Registration, record_platform, stack_inputs
from operations.jobs.registry import JOBS
from operations.settings import load_settings

EU, US = "eu-central-1", "us-east-1"
_PLACEHOLDERS = {
    "DAY2_SIGNING_KEY_ARN": "arn:aws:kms:eu-central-1:210987654321:key/1",
    "DAY2_ENCRYPTION_KEY_ARN": "arn:aws:kms:eu-central-1:210987654321:key/2",
    "DAY2_EVIDENCE_BUCKET": "day2-staging-evidence-eu-central-1-00000000",
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return stack_inputs("staging")[0]


@pytest.fixture(scope="module")
def recording(settings: Settings, catalogue: Catalogue) -> Recording:
    return record_platform(settings, catalogue, stack="staging")


def _region_of(found: Registration, recording: Recording) -> str | None:
    return next(
        (a.name for a in recording.ancestors(found) if a.type == "day2:platform:Region"),
        found.name if found.type == "day2:platform:Region" else None,
    )


def _of_region(recording: Recording, region: str) -> list[Registration]:
    return [found for found in recording.registrations if _region_of(found, recording) == region]


def test_every_resource_belongs_to_a_region(recording: Recording) -> None:
    outside = [
        found.name
        for found in recording.registrations
        if _region_of(found, recording) is None and not found.type.startswith("pulumi:providers:")
    ]
    assert outside == []


@pytest.mark.parametrize("region", [EU, US])
def test_a_region_uses_its_own_providers_only(recording: Recording, region: str) -> None:
    used = {
        re.sub(r"::[^:]*$", "", found.provider).rsplit("::", 1)[-1]
        for found in _of_region(recording, region)
        if found.provider and not found.type.startswith("random:")
    }
    assert used == {f"{region}-aws", f"{region}-kubernetes"}


@pytest.mark.parametrize("region", [EU, US])
def test_aws_resources_lie_in_their_jurisdiction(
    recording: Recording, settings: Settings, region: str
) -> None:
    regions = {found.inputs["region"] for found in _of_region(recording, region) if "region" in found.inputs}
    assert regions == {region, settings.regions[region].replica_region}


def test_a_provider_touches_only_the_account_of_the_stack(recording: Recording, settings: Settings) -> None:
    for provider in recording.of_type("pulumi:providers:aws"):
        assert json.loads(provider.inputs["allowedAccountIds"]) == [settings.aws.account_id]


def test_another_region_changes_nothing_of_the_first(
    recording: Recording, settings: Settings, catalogue: Catalogue
) -> None:
    alone = settings.model_copy(update={"regions": {EU: settings.regions[EU]}})
    before = _of_region(record_platform(alone, catalogue, stack="staging"), EU)
    after = _of_region(recording, EU)
    assert {found.urn: found for found in before} == {found.urn: found for found in after}


def test_roles_have_names_of_their_own_in_the_account(recording: Recording) -> None:
    names = [role.inputs["name"] for role in recording.of_type("aws:iam/role:Role")]
    assert len(names) == 4
    assert len(set(names)) == len(names)


def test_both_buckets_of_a_region_are_locked_encrypted_and_closed(recording: Recording) -> None:
    of_region = _of_region(recording, EU)

    def inputs_of(token: str) -> list[dict[str, Any]]:
        return [found.inputs for found in of_region if found.type == token]

    buckets = inputs_of("aws:s3/bucket:Bucket")
    assert [bucket["objectLockEnabled"] for bucket in buckets] == [True, True]
    assert [bucket["forceDestroy"] for bucket in buckets] == [False, False]
    locks = inputs_of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert [lock["rule"]["defaultRetention"] for lock in locks] == [{"mode": "GOVERNANCE", "days": 90}] * 2
    closed = inputs_of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert [
        sorted(block[key] for key in block if key.endswith(("Acls", "Policy", "Buckets"))) for block in closed
    ] == [[True] * 4] * 2
    encryption = inputs_of(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    assert {e["rules"][0]["applyServerSideEncryptionByDefault"]["sseAlgorithm"] for e in encryption} == {
        "aws:kms"
    }


def test_the_lifecycle_deletes_nothing_and_so_keeps_the_chain_whole(recording: Recording) -> None:
    lifecycles = recording.of_type("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert len(lifecycles) == 4
    for lifecycle in lifecycles:
        (rule,) = lifecycle.inputs["rules"]
        assert not {"expiration", "noncurrentVersionExpiration"} & rule.keys()


def test_evidence_is_signed_with_an_rsa_4096_key(recording: Recording) -> None:
    keys = [key for key in recording.of_type("aws:kms/key:Key") if key.name.endswith("signing-key")]
    assert len(keys) == 2
    for key in keys:
        assert key.inputs["keyUsage"] == "SIGN_VERIFY"
        assert key.inputs["customerMasterKeySpec"] == "RSA_4096"


@pytest.mark.parametrize("region", [EU, US])
def test_a_jobs_config_map_is_the_environment_that_the_job_reads(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    (config_map,) = [f for f in _of_region(recording, region) if f.type == "kubernetes:core/v1:ConfigMap"]
    for name, value in config_map.inputs["data"].items():
        monkeypatch.setenv(name, _PLACEHOLDERS.get(name, value))
    settings = load_settings()
    assert settings.region == region
    assert settings.evidence.retention_days == 90
    assert str(settings.prometheus_url).startswith("http://prometheus-operated.monitoring.svc:9090")


def test_every_job_of_the_catalogue_is_one_that_operations_runs(catalogue: Catalogue) -> None:
    assert set(catalogue.jobs) <= set(JOBS)


def test_every_object_with_a_namespace_stands_in_one_that_is_made(recording: Recording) -> None:
    namespaces = {
        found.inputs["metadata"]["namespace"]
        for found in _of_region(recording, EU)
        if "namespace" in found.inputs.get("metadata", {})
    }
    made = {n.inputs["metadata"]["name"] for n in recording.of_type("kubernetes:core/v1:Namespace")}
    assert namespaces == made == {OPERATIONS_NAMESPACE}


def test_a_region_without_prometheus_gives_jobs_no_address_of_one(
    settings: Settings, catalogue: Catalogue
) -> None:
    bare = settings.regions[EU].model_copy(update={"prometheus": None})
    recording = record_platform(
        settings.model_copy(update={"regions": {EU: bare}}), catalogue, stack="staging"
    )
    (config_map,) = recording.of_type("kubernetes:core/v1:ConfigMap")
    assert "DAY2_PROMETHEUS_URL" not in config_map.inputs["data"]


def test_only_definitions_are_installed_where_the_stack_says_so(
    settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    operators = ("prometheus-operator", "keda", "argo-rollouts", "kyverno")
    for operator in operators:
        (tmp_path / operator).mkdir()
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"things.{operator}.dev"},
        }
        (tmp_path / operator / f"things.{operator}.dev.json").write_text(json.dumps(definition))
    install = settings.operators.model_copy(update={"install": "crds", "crds_folder": str(tmp_path)})
    one = settings.model_copy(update={"operators": install, "regions": {EU: settings.regions[EU]}})
    recording = record_platform(one, catalogue, stack="staging")
    found = recording.of_type("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition")
    assert {f.inputs["metadata"]["name"] for f in found} == {f"things.{o}.dev" for o in operators}
    assert recording.of_type("kubernetes:helm.sh/v3:Release") == []


def test_prometheus_keeps_what_a_30_day_budget_looks_back_on(
    recording: Recording, catalogue: Catalogue
) -> None:
    (release,) = [
        found
        for found in recording.of_type("kubernetes:helm.sh/v3:Release")
        if found.name == f"{EU}-operators-prometheus-operator"
    ]
    retention = release.inputs["values"]["prometheus"]["prometheusSpec"]["retention"]
    longest = max(slo.period.days for slo in catalogue.slos)
    assert int(retention.removesuffix("d")) > longest
