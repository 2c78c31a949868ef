from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from catalog.load import load_catalogue
from local import evidence, kubelet
from local.emulator.client import enforce_iam
from local.emulator.lifecycle import start_emulator
from local.engine import Engine
from local.platform import ROOT, EmbeddedPlatform
from local.recording import stack_inputs
from tests.engine.support import aws

pytestmark = pytest.mark.engine

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def engine(platform: EmbeddedPlatform) -> Engine:
    engine = platform.start()
    engine.up()
    return engine


def _run_job(platform: EmbeddedPlatform, region: str = REGION) -> kubelet.JobRun:
    return kubelet.run_cron_job(
        platform.workspace,
        region,
        "nightly-evidence",
        namespace="day2-system",
        node_environment={"AWS_ENDPOINT_URL": start_emulator(platform.workspace).endpoint},
        program=ROOT,
        show=False,
    )


def _verified(platform: EmbeddedPlatform, engine: Engine) -> bool:
    settings, _ = stack_inputs("test", platform.program)
    return evidence.verify_regions(engine, start_emulator(platform.workspace), settings, load_catalogue())


def test_the_nightly_job_writes_evidence_that_verifies_in_both_regions(
    platform: EmbeddedPlatform, engine: Engine, regions: list[str]
) -> None:
    for region in regions:
        assert _run_job(platform, region).exit_code == 0
    assert _verified(platform, engine)


def test_the_pack_says_what_is_there_and_what_is_not_available(
    platform: EmbeddedPlatform, engine: Engine
) -> None:
    folder = platform.workspace.evidence / REGION / "nightly-pack"
    files = (folder / "objects").glob("**/documents/**/*.json/*")
    documents = {path.parent.name.split("-")[0]: json.loads(path.read_text()) for path in files}
    assert set(documents) == {"evidence", "policy", "slo", "dora", "cost"}
    rules = json.dumps(documents["policy"])
    assert "slo-reporting" in rules
    assert '"met"' not in json.dumps(documents["slo"])
    assert "not available" in json.dumps(documents["slo"])


def test_evidence_reaches_the_replica_region(platform: EmbeddedPlatform, engine: Engine) -> None:
    its = engine.outputs()["regions"][REGION]
    s3 = aws(engine, "s3", "eu-west-1")
    copies = s3.list_object_versions(Bucket=its["evidence_replica_bucket"])["Versions"]
    originals = aws(engine, "s3", REGION).list_object_versions(Bucket=its["evidence_bucket"])["Versions"]
    assert {(v["Key"], v["VersionId"]) for v in copies} == {(v["Key"], v["VersionId"]) for v in originals}


@pytest.fixture
def enforced(platform: EmbeddedPlatform, engine: Engine) -> Iterator[None]:
    endpoint = start_emulator(platform.workspace).endpoint
    enforce_iam(endpoint, on=True)
    yield
    enforce_iam(endpoint, on=False)


def test_the_jobs_role_is_enough_when_iam_is_enforced(platform: EmbeddedPlatform, enforced: None) -> None:
    assert _run_job(platform).exit_code == 0


@pytest.mark.parametrize(
    "action", sorted({a for g in load_catalogue().jobs["nightly-evidence"].aws for a in g.actions})
)
def test_every_action_of_the_role_is_needed(action: str, platform: EmbeddedPlatform, engine: Engine) -> None:
    iam = aws(engine, "iam", REGION)
    role = next(r["RoleName"] for r in iam.list_roles()["Roles"] if f"{REGION}-nightly" in r["RoleName"])
    policy = iam.get_role_policy(RoleName=role, PolicyName="permissions")["PolicyDocument"]
    less = json.loads(json.dumps(policy))
    for statement in less["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]
    less["Statement"] = [s for s in less["Statement"] if s["Action"]]
    endpoint = start_emulator(platform.workspace).endpoint
    iam.put_role_policy(RoleName=role, PolicyName="permissions", PolicyDocument=json.dumps(less))
    try:
        enforce_iam(endpoint, on=True)
        run = _run_job(platform)
    finally:
        enforce_iam(endpoint, on=False)
        iam.put_role_policy(RoleName=role, PolicyName="permissions", PolicyDocument=json.dumps(policy))
    assert run.exit_code != 0
    assert action in run.log.read_text()


def test_an_overwritten_record_is_found(platform: EmbeddedPlatform, engine: Engine) -> None:
    bucket = engine.outputs()["regions"][REGION]["evidence_bucket"]
    aws(engine, "s3", REGION).put_object(
        Bucket=bucket, Key="nightly-pack/records/0000000001.dsse.json", Body=b"{}"
    )
    assert not _verified(platform, engine)
