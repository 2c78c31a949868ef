"""PrometheusRule objects of the Prometheus operator (monitoring.coreos.com/v1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.monitoring.burn_rate import Rule, alerting_rules, recording_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catalog.burn_rate import BurnRatePolicy
    from catalog.openslo import Service


def service_rule_groups(service: Service, policies: Mapping[str, BurnRatePolicy]) -> list[dict[str, Any]]:
    """Rule groups of all SLOs of a service: recordings before the alerts that read them.

    Args:
        service: The service.
        policies: Burn-rate policies by name.
    """
    return [
        {
            "name": f"slo:{slo.name}",
            "rules": [
                *recording_rules(slo, policies[slo.alert_policy]),
                *alerting_rules(service, slo, policies[slo.alert_policy]),
            ],
        }
        for slo in service.slos
    ]


def prometheus_rule(
    metadata: Mapping[str, Any], groups: Sequence[Mapping[str, Sequence[Rule] | str]]
) -> dict[str, Any]:
    """A PrometheusRule manifest.

    Args:
        metadata: Name, namespace and labels of the object; the labels are not those of its series.
        groups: Rule groups as in a Prometheus rule file.
    """
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": dict(metadata),
        "spec": {"groups": [dict(group) for group in groups]},
    }
