"""SloRules: the Prometheus rules of a service's SLOs, in one cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from components.context import Context
from components.kubernetes_object import kubernetes_object
from components.monitoring.prometheus_rule import prometheus_rule, service_rule_groups
from components.naming import safe_name
from components.tags import kubernetes_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.burn_rate import BurnRatePolicy
    from catalog.openslo import Service

SERVICE_LABEL = "day2.dev/service"


@dataclass(frozen=True, kw_only=True)
class SloRulesArgs:
    """What SloRules needs.

    Attributes:
        context: Where it stands.
        service: The service and its SLOs.
        policies: Burn-rate policies by the names that the SLOs use.
        namespace: Namespace that gets the PrometheusRule.

    Raises:
        ValueError: The service has no SLO, or one names a policy that is not given.
    """

    context: Context
    service: Service
    policies: Mapping[str, BurnRatePolicy]
    namespace: str

    def __post_init__(self) -> None:
        if not self.service.slos:
            raise ValueError(f"service {self.service.name} has no SLO: add one to its catalogue file")
        for slo in self.service.slos:
            if slo.alert_policy not in self.policies:
                known = ", ".join(sorted(self.policies))
                raise ValueError(
                    f"SLO {slo.name} names the policy {slo.alert_policy!r}, but given are {known}"
                )


class SloRules(pulumi.ComponentResource):
    """One PrometheusRule for each service: recordings and burn-rate alerts of its SLOs.

    Example:
        >>> from catalog.load import load_catalogue
        >>> catalogue = load_catalogue()
        >>> rules = SloRules(
        ...     "reporting",
        ...     SloRulesArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...         service=catalogue.services["reporting"],
        ...         policies=catalogue.burn_rate_policies,
        ...         namespace="day2-system",
        ...     ),
        ... )
    """

    rule_name: pulumi.Output[str]
    """Name of the PrometheusRule."""

    def __init__(self, name: str, args: SloRulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("day2:monitoring:SloRules", name, None, opts)
        service = args.service
        rule_name = safe_name("slo", service.name)
        kubernetes_object(
            f"{name}-rule",
            prometheus_rule(
                {
                    "name": rule_name,
                    "namespace": args.namespace,
                    "labels": {**kubernetes_labels(args.context, "slo-rules"), SERVICE_LABEL: service.name},
                },
                service_rule_groups(service, args.policies),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.rule_name = pulumi.Output.from_input(rule_name)
        self.register_outputs({"rule_name": self.rule_name})
