from __future__ import annotations

import dataclasses
import json
import re
import time
from pathlib import Path

import pytest
from kubernetes import client

from local import processes
from local.control_plane.lifecycle import start_control_planes
from local.engine import Engine
from local.errors import PlatformError
from local.platform import POLICY_PACKS, EmbeddedPlatform
from tests.engine.support import (
    aws,
    aws_resources,
    config_map_data,
    issuer,
    kubernetes_api,
    kubernetes_objects,
    write_program,
)

pytestmark = pytest.mark.engine


@dataclasses.dataclass
class Deployed:
    platform: EmbeddedPlatform
    engine: Engine
    kubernetes_before: dict[str, set[tuple[str, str, str]]]
    aws_before: set[str]


@pytest.fixture(scope="module")
def deployed(platform: EmbeddedPlatform, regions: list[str]) -> Deployed:
    engine = platform.start()
    before = {region: _once_settled(platform, region) for region in regions}
    aws_before = aws_resources(engine, regions)
    preview = engine.preview()
    assert "to create" in preview
    engine.up()
    return Deployed(platform, engine, before, aws_before)


def _once_settled(platform: EmbeddedPlatform, region: str) -> set[tuple[str, str, str]]:
    """Objects of a new cluster, once its controllers have made their own."""
    objects: set[tuple[str, str, str]] = set()
    while True:
        found = kubernetes_objects(platform.workspace, region)
        if found == objects and ("ServiceAccount", "default", "default") in found:
            return found
        objects = found
        time.sleep(3)


def test_up_makes_every_object_in_both_regions(deployed: Deployed, regions: list[str]) -> None:
    for region in regions:
        objects = kubernetes_objects(deployed.platform.workspace, region)
        assert ("CronJob", "day2-system", "nightly-evidence") in objects
        assert ("PrometheusRule", "day2-system", "slo-reporting") in objects
        assert deployed.engine.outputs()["regions"][region]["evidence_bucket"] in aws_resources(
            deployed.engine, regions
        )


def test_a_second_up_changes_nothing(deployed: Deployed) -> None:
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", deployed.engine.up())


def test_a_change_behind_the_engines_back_is_shown_by_refresh_and_mended_by_up(deployed: Deployed) -> None:
    region = "eu-central-1"
    core = client.CoreV1Api(kubernetes_api(deployed.platform.workspace, region))
    core.patch_namespaced_config_map(
        "nightly-evidence", "day2-system", {"data": {"DAY2_EVIDENCE_LOCK_MODE": "NONE"}}
    )
    bucket = deployed.engine.outputs()["regions"][region]["evidence_bucket"]
    s3 = aws(deployed.engine, "s3", region)
    s3.delete_bucket_policy(Bucket=bucket)
    shown = deployed.engine.drift()
    assert re.search(r"~.*eu-central-1-nightly-evidence-configmap", shown)
    assert re.search(r"-.*eu-central-1-evidence-primary-policy", shown)
    assert "~ 1 to update" in shown
    assert "- 1 to delete" in shown
    deployed.engine.up()
    mended = config_map_data(deployed.platform.workspace, region)
    assert mended["DAY2_EVIDENCE_LOCK_MODE"] == "GOVERNANCE"
    assert "SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]


def test_a_third_region_comes_and_goes_without_touching_the_others(
    deployed: Deployed, regions: list[str], tmp_path: Path
) -> None:
    third = "eu-north-1"
    workspace = deployed.platform.workspace
    start_control_planes(workspace, [third], {third: issuer(third)}).raise_for_failures()
    three = write_program(tmp_path, workspace, [*regions, third])
    added = dataclasses.replace(deployed.engine, program=three).up()
    assert _changed(added)
    assert all(third in name for name in _changed(added))
    assert ("CronJob", "day2-system", "nightly-evidence") in kubernetes_objects(workspace, third)
    removed = deployed.engine.up()
    assert _changed(removed)
    assert all(third in name for name in _changed(removed))


def _changed(output: str) -> set[str]:
    """Names of the custom resources that an update created, updated, replaced or deleted."""
    lines = re.findall(
        r"^\s*(?:\+|-|~|\+\+|--|\+-) +(\S+) (\S+) (?:created|deleted|updated|replaced)", output, re.MULTILINE
    )
    return {name for kind, name in lines if not kind.startswith(("pulumi:pulumi:", "day2:"))}


def test_a_region_that_is_down_does_not_keep_the_other_from_its_update(
    deployed: Deployed, tmp_path: Path, regions: list[str]
) -> None:
    workspace = deployed.platform.workspace
    changed = write_program(tmp_path, workspace, regions, retention_days=91)
    processes.stop(workspace, "us-east-1/kube-apiserver")
    with pytest.raises(PlatformError, match="us-east-1"):
        dataclasses.replace(deployed.engine, program=changed).up(refresh=False)
    data = config_map_data(workspace, "eu-central-1")
    assert data["DAY2_EVIDENCE_RETENTION_DAYS"] == "91"
    deployed.platform.start().up()


def test_a_policy_pack_stops_a_bad_resource_before_it_is_made(deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: careless\nruntime: python\n")
    (tmp_path / "Pulumi.careless.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi, pulumi_aws as aws\n"
        "provider = aws.Provider('aws', region='us-east-1', s3_use_path_style=True)\n"
        "own = pulumi.ResourceOptions(provider=provider)\n"
        "aws.s3.Bucket('careless', bucket='careless', tags={'day2:component': 'evidence'}, opts=own)\n"
    )
    engine = dataclasses.replace(
        deployed.engine,
        program=tmp_path,
        stack="careless",
        policy_packs=POLICY_PACKS,
    )
    engine.select()
    with pytest.raises(PlatformError) as refused:
        engine.up()
    assert "aws-s3-evidence-object-lock" in engine.log.read_text()
    assert refused.value.where == str(engine.log)
    buckets = aws(deployed.engine, "s3", "us-east-1").list_buckets()["Buckets"]
    assert "careless" not in [bucket["Name"] for bucket in buckets]


def test_destroy_leaves_nothing_in_the_api_servers_and_the_emulator(
    deployed: Deployed, regions: list[str]
) -> None:
    deployed.engine.destroy()
    assert deployed.engine.resources() == []
    for region in regions:
        left = kubernetes_objects(deployed.platform.workspace, region) - deployed.kubernetes_before[region]
        assert left == set(), json.dumps(sorted(left))
    assert aws_resources(deployed.engine, regions) - deployed.aws_before == set()
