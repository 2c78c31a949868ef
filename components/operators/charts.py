"""The operators' Helm charts, pinned, and what each is configured to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One operator's chart.

    Attributes:
        repository: Address of the chart repository.
        chart: Name of the chart.
        version: Its version, pinned.
        namespace: Namespace that it is installed into.
        values: What differs from the chart's defaults.
    """

    repository: str
    chart: str
    version: str
    namespace: str
    values: Mapping[str, Any] = field(default_factory=dict)


CHARTS: Mapping[str, Chart] = {
    "prometheus-operator": Chart(
        repository="https://prometheus-community.github.io/helm-charts",
        chart="kube-prometheus-stack",
        version="81.6.9",
        namespace="monitoring",
        values={
            "grafana": {"enabled": False},
            "prometheus": {
                "prometheusSpec": {
                    # Rules and monitors of every namespace count, not only those that the chart made.
                    "ruleSelectorNilUsesHelmValues": False,
                    "serviceMonitorSelectorNilUsesHelmValues": False,
                    # Error budgets look back 30 days; a day more, so that the last one is whole.
                    "retention": "31d",
                }
            },
        },
    ),
    "keda": Chart(
        repository="https://kedacore.github.io/charts", chart="keda", version="2.21.0", namespace="keda"
    ),
    "argo-rollouts": Chart(
        repository="https://argoproj.github.io/argo-helm",
        chart="argo-rollouts",
        version="2.41.1",
        namespace="argo-rollouts",
    ),
    "kyverno": Chart(
        repository="https://kyverno.github.io/kyverno",
        chart="kyverno",
        version="3.9.1",
        namespace="kyverno",
    ),
}
"""Charts by the name of the operator."""
