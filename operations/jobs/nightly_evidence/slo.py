"""The SLO document: what was promised, whether it is watched, and whether it held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

from catalog.base import prometheus_duration
from operations.jobs.nightly_evidence.availability import (
    AVAILABLE,
    MET,
    NOT_MET,
    attempt,
    available,
    not_available,
)
from operations.prometheus import Prometheus

# Below it a new or restarted Prometheus would vouch for a month of which it saw days.
_LEAST_COVERAGE = 0.95
_STEP = timedelta(minutes=5)
SERVICE_LABEL = "day2.dev/service"

_NO_PROMETHEUS = "no Prometheus is configured: DAY2_PROMETHEUS_URL is not set"


class SloDefinition(Protocol):
    """The part of a catalogue's SLO that this document needs."""

    @property
    def name(self) -> str:
        """Name of the SLO."""

    @property
    def service(self) -> str:
        """Service that it is about."""

    @property
    def target(self) -> float:
        """Share of events that must be good."""

    @property
    def error_budget(self) -> float:
        """Share of events that may be bad."""

    @property
    def period(self) -> timedelta:
        """Period over which it must hold."""


def slo_document(
    slos: Iterable[SloDefinition], rules: dict[str, Any], prometheus: Prometheus | None
) -> dict[str, Any]:
    """Every SLO of the catalogue with its rules in the cluster and its numbers.

    Args:
        slos: What was promised.
        rules: The section made by `policy.prometheus_rules`.
        prometheus: Where numbers come from, None if there is none.
    """
    return {
        "prometheus": available(url=prometheus.url) if prometheus else not_available(_NO_PROMETHEUS),
        "slos": [_slo(slo, rules, prometheus) for slo in slos],
    }


def _slo(slo: SloDefinition, rules: dict[str, Any], prometheus: Prometheus | None) -> dict[str, Any]:
    period = prometheus_duration(slo.period)
    label = f'{{slo="{slo.name}"}}'
    errors = _number(prometheus, f"slo:sli_error:ratio_rate{period}{label}")
    steps = slo.period // _STEP
    covered = _number(prometheus, f"count_over_time(slo:total_events:rate5m{label}[{period}:5m]) / {steps}")
    return {
        "name": slo.name,
        "service": slo.service,
        "target": slo.target,
        "period": period,
        **_verdict(errors, covered, slo.error_budget),
        "rules": _rules_of(slo.service, rules),
        "error_ratio": errors,
        "period_covered": covered,
        "error_budget_remaining": _number(prometheus, f"slo:error_budget_remaining:ratio{label}"),
        "current_burn_rate": _number(prometheus, f"slo:current_burn_rate:ratio{label}"),
    }


def _verdict(errors: dict[str, Any], covered: dict[str, Any], error_budget: float) -> dict[str, str]:
    """Met only by a number about nearly all of the period; a ratio outside 0 to 1 says nothing."""
    if errors["status"] != AVAILABLE:
        return not_available(errors["reason"])
    if not 0 <= errors["value"] <= 1:
        return not_available(f"the error ratio is {errors['value']}, outside 0 to 1")
    if covered["status"] != AVAILABLE:
        return not_available(covered["reason"])
    if covered["value"] < _LEAST_COVERAGE:
        return not_available(f"only {covered['value']:.1%} of the period has data")
    return {"status": MET if errors["value"] <= error_budget else NOT_MET}


def _number(prometheus: Prometheus | None, query: str) -> dict[str, Any]:
    if prometheus is None:
        return not_available(_NO_PROMETHEUS)
    return attempt(lambda: {"query": query, "value": prometheus.number(query)})


def _rules_of(service: str, rules: dict[str, Any]) -> dict[str, Any]:
    if rules["status"] != AVAILABLE:
        return not_available(rules["reason"])
    names = [
        f"{o['namespace']}/{o['name']}" for o in rules["objects"] if o["labels"].get(SERVICE_LABEL) == service
    ]
    if not names:
        return not_available(f"no PrometheusRule has the label {SERVICE_LABEL}={service}")
    return available(objects=names)
