"""Stack files and views of what exists, for tests on the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import yaml
from kubernetes import client

from local.api_client import api_client
from local.engine import Engine
from local.platform import ROOT
from local.workspace import Workspace

REPLICAS = {"us-east-1": "us-west-2", "eu-central-1": "eu-west-1", "eu-north-1": "eu-west-3"}
# What the cluster itself writes all the time.
_VOLATILE_KINDS = ("Event", "Lease", "EndpointSlice", "Endpoints")


def issuer(region: str) -> str:
    return f"https://oidc.{region}.test.internal"


def write_program(folder: Path, workspace: Workspace, regions: list[str], **evidence: Any) -> Path:
    """The project's program with a stack file `test` for some regions of a workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py", "catalog", "components"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    platform = {
        "environment": "test",
        "owner": "platform-team",
        "aws": {"account_id": "123456789012", "s3_use_path_style": True},
        "regions": {region: _region(workspace, region) for region in regions},
        "evidence": {"retention_days": 90, "force_destroy": True, **evidence},
        "operators": {"install": "crds", "crds_folder": str(workspace.crds)},
        "jobs": {"image": "registry.example.com/day2/operations@sha256:" + "0" * 64},
    }
    salt = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))["encryptionsalt"]
    stack = {"encryptionsalt": salt, "config": {"day2:platform": platform}}
    (folder / "Pulumi.test.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")
    return folder


def _region(workspace: Workspace, region: str) -> dict[str, Any]:
    return {
        "jurisdiction": region.split("-", maxsplit=1)[0],
        "replica_region": REPLICAS[region],
        "cluster": {"kubeconfig": str(workspace.kubeconfig(region)), "oidc_issuer": issuer(region)},
        "egress": {"aws": ["127.0.0.1/32"], "kubernetes": ["127.0.0.1/32"]},
    }


def kubernetes_api(workspace: Workspace, region: str) -> Any:
    return api_client(workspace.kubeconfig(region))


def config_map_data(workspace: Workspace, region: str) -> dict[str, str]:
    """Data of the nightly job's ConfigMap."""
    core = client.CoreV1Api(kubernetes_api(workspace, region))
    return dict(core.read_namespaced_config_map("nightly-evidence", "day2-system").data or {})


def kubernetes_objects(workspace: Workspace, region: str) -> set[tuple[str, str, str]]:
    """(kind, namespace, name) of all that can be listed, but what the cluster writes all the time."""
    api = kubernetes_api(workspace, region)

    def get(path: str) -> Any:
        response = api.call_api("GET", f"{api.configuration.host}{path}")
        response.read()
        return json.loads(response.data)

    groups = [group["preferredVersion"]["groupVersion"] for group in get("/apis")["groups"]]
    found = set()
    for prefix in ["/api/v1", *(f"/apis/{group}" for group in groups)]:
        for resource in get(prefix)["resources"]:
            listable = "list" in resource["verbs"] and "/" not in resource["name"]
            if listable and resource["kind"] not in _VOLATILE_KINDS:
                for item in get(f"{prefix}/{resource['name']}")["items"]:
                    metadata = item["metadata"]
                    found.add((resource["kind"], metadata.get("namespace", ""), metadata["name"]))
    return found


def aws(engine: Engine, service: Any, region: str) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=engine.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=engine.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=engine.environment["AWS_SECRET_ACCESS_KEY"],
    )


def aws_resources(engine: Engine, regions: list[str]) -> set[str]:
    """Buckets, roles, aliases and usable keys that exist in the emulator."""
    found = {bucket["Name"] for bucket in aws(engine, "s3", regions[0]).list_buckets()["Buckets"]}
    found |= {role["RoleName"] for role in aws(engine, "iam", regions[0]).list_roles()["Roles"]}
    for region in [*regions, *(REPLICAS[name] for name in regions)]:
        kms = aws(engine, "kms", region)
        found |= {
            key["KeyId"]
            for key in kms.list_keys()["Keys"]
            if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
        }
        found |= {
            f"{region}/{alias['AliasName']}"
            for alias in kms.list_aliases()["Aliases"]
            if not alias["AliasName"].startswith("alias/aws/")
        }
    return found
