"""Operators: the controllers that the platform builds on, or only their resource definitions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as k8s

from components.context import Context
from components.kubernetes_object import kubernetes_object
from components.operators.charts import CHARTS, Chart

_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class OperatorsArgs:
    """What Operators needs.

    Attributes:
        context: Where it stands.
        install: `helm` for the pinned charts, `crds` for the resource definitions alone.
        crds_folder: With `crds`: folder that holds `<operator>/<name>.json`.

    Raises:
        ValueError: The folder is missing, or holds no definition of an operator.
    """

    context: Context
    install: Literal["helm", "crds"]
    crds_folder: Path | None = None

    def __post_init__(self) -> None:
        if self.install == "crds":
            if self.crds_folder is None:
                raise ValueError("install is crds: give crds_folder")
            lacking = [name for name in CHARTS if not any((self.crds_folder / name).glob("*.json"))]
            if lacking:
                raise ValueError(f"{self.crds_folder} holds no resource definitions of {', '.join(lacking)}")


class Operators(pulumi.ComponentResource):
    """Prometheus operator, KEDA, Argo Rollouts and Kyverno, at pinned versions.

    Example:
        >>> operators = Operators(
        ...     "eu-central-1-operators",
        ...     OperatorsArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...         install="helm",
        ...     ),
        ... )
    """

    installed: pulumi.Output[list[str]]
    """Names of the operators, known once they are there."""

    def __init__(self, name: str, args: OperatorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("day2:operators:Operators", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        resources: list[pulumi.CustomResource] = []
        if args.install == "helm":
            resources = [_release(f"{name}-{operator}", chart, child) for operator, chart in CHARTS.items()]
        elif args.crds_folder is not None:
            for operator in CHARTS:
                for path in sorted((args.crds_folder / operator).glob("*.json")):
                    resources.append(kubernetes_object(f"{name}-{path.stem}", _definition(path), child))
        self.installed = pulumi.Output.all(*(r.id for r in resources)).apply(lambda _: list(CHARTS))
        self.register_outputs({"installed": self.installed})


def _release(name: str, chart: Chart, opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
    return k8s.helm.v3.Release(
        name,
        chart=chart.chart,
        version=chart.version,
        repository_opts={"repo": chart.repository},
        namespace=chart.namespace,
        create_namespace=True,
        values=dict(chart.values),
        atomic=True,
        timeout=_TIMEOUT_SECONDS,
        opts=opts,
    )


def _definition(path: Path) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(path.read_bytes())
    return definition
