"""The programs that are measured: the platform with as many services and regions as asked, and bare ones."""

from __future__ import annotations

import copy
import pprint
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from local.platform import ROOT

STACK = "bench"

# AWS region: its replica, in the same jurisdiction.
REGIONS = {
    "us-east-1": "us-east-2",
    "eu-central-1": "eu-west-1",
    "us-west-1": "us-west-2",
    "eu-north-1": "eu-west-3",
}
_CLONED = "reporting"


def issuer(region: str) -> str:
    """Issuer of the service-account tokens of a region's cluster."""
    return f"https://oidc.{region}.bench.internal"


def write_platform(
    folder: Path, *, services: int | None, kubeconfigs: Mapping[str, Path], crds: Path
) -> dict[str, Any]:
    """Writes this project's program with another catalogue and stack.

    Args:
        folder: Where the program goes.
        services: How many services the catalogue has, all of them clones of one; None for the project's own.
        kubeconfigs: Cluster of each region.
        crds: Folder of the resource definitions.

    Returns:
        The `platform` object of the stack's settings.
    """
    folder.mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py", "components"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "catalog", folder / "catalog", ignore=shutil.ignore_patterns("__pycache__"))
    if services is not None:
        _clone_services(folder / "catalog" / "services", services)
    settings = {
        "environment": STACK,
        "owner": "platform-team",
        "aws": {"account_id": "123456789012", "s3_use_path_style": True},
        "regions": {region: _region(region, path) for region, path in kubeconfigs.items()},
        "evidence": {"retention_days": 90, "force_destroy": True},
        "operators": {"install": "crds", "crds_folder": str(crds)},
        "jobs": {"image": "registry.example.com/day2/operations@sha256:" + "0" * 64},
    }
    salt = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))["encryptionsalt"]
    stack = {"encryptionsalt": salt, "config": {"day2:platform": settings}}
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")
    return settings


def write_bare(
    folder: Path, resources: Sequence[tuple[str, str, bool, dict[str, Any]]], imports: Sequence[str]
) -> None:
    """Writes a program that registers resources from literals, without components, parents or dependencies.

    It uses the SDKs' classes where the platform does, for AWS and providers, and plain resources where the
    platform registers manifests. The literals are a module, which Python compiles once.

    Args:
        folder: Where the program goes.
        resources: Token, name, whether a provider manages it, and inputs.
        imports: Modules that it imports.
    """
    folder.mkdir(parents=True)
    calls = ["import pulumi", *(f"import {module}" for module in imports)]
    calls.append("from literals import INPUTS")
    literals = {}
    for number, (token, name, custom, inputs) in enumerate(resources):
        sdk_class = _sdk_class(token) if imports else None
        literals[number] = {_snake_case(key): value for key, value in inputs.items()} if sdk_class else inputs
        if sdk_class:
            calls.append(f"{sdk_class}({name!r}, **INPUTS[{number}])")
        elif custom:
            calls.append(f"pulumi.CustomResource({token!r}, {name!r}, INPUTS[{number}])")
        else:
            calls.append(f"pulumi.ComponentResource({token!r}, {name!r})")
    text = pprint.pformat(literals, width=110, compact=True, sort_dicts=False)
    (folder / "literals.py").write_text(f"INPUTS = {text}\n", encoding="utf-8")
    (folder / "__main__.py").write_text("\n".join(calls) + "\n", encoding="utf-8")
    (folder / "Pulumi.yaml").symlink_to(ROOT / "Pulumi.yaml")


def _sdk_class(token: str) -> str | None:
    """The class that the SDK has for a token: `pulumi_aws.s3.Bucket` for `aws:s3/bucket:Bucket`."""
    package, module, name = token.split(":")
    if package == "pulumi":
        return f"pulumi_{name}.Provider"
    if package in ("aws", "random"):
        service = module.partition("/")[0]
        return (
            f"pulumi_{package}.{name}"
            if service == "index" or package == "random"
            else (f"pulumi_{package}.{service}.{name}")
        )
    return None


def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()


def _region(region: str, kubeconfig: Path) -> dict[str, Any]:
    return {
        "jurisdiction": region.partition("-")[0],
        "replica_region": REGIONS[region],
        "cluster": {"kubeconfig": str(kubeconfig), "oidc_issuer": issuer(region)},
        "egress": {"aws": ["127.0.0.1/32"], "kubernetes": ["127.0.0.1/32"]},
    }


def _clone_services(folder: Path, count: int) -> None:
    """Leaves as many services as asked, each with the three SLOs of one of the project's."""
    documents = list(yaml.safe_load_all((folder / f"{_CLONED}.yaml").read_text(encoding="utf-8")))
    for path in folder.glob("*.yaml"):
        path.unlink()
    for number in range(count):
        name = f"service-{number:03}"
        mine = [_renamed(copy.deepcopy(document), name) for document in documents]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(mine), encoding="utf-8")


def _renamed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, name) for inner in value]
    return value.replace(_CLONED, name) if isinstance(value, str) else value
