"""DORA and cost figures: named figures, each from a source that may not be there yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from operations.jobs.nightly_evidence.availability import attempt, not_available

Source = Callable[[], dict[str, Any]]
"""Finds one figure: `{"value": …, "unit": …, …}`; raises `NoNumberError` or `ClusterError` if it can't."""

DORA_FIGURES = (
    "deployment_frequency",
    "lead_time_for_changes",
    "change_failure_rate",
    "failed_deployment_recovery_time",
)
"""The four keys by the names of https://dora.dev/guides/dora-metrics-four-keys/."""
DORA_SOURCES: Mapping[str, Source] = {}
DORA_REASON = "no source of deployments and changes is configured"

COST_FIGURES = ("yesterday", "month_to_date", "month_forecast")
COST_SOURCES: Mapping[str, Source] = {}
COST_REASON = "reading Cost Explorer is not granted to this job"


def figures(names: tuple[str, ...], sources: Mapping[str, Source], reason: str) -> dict[str, Any]:
    """A document with one section a figure; a figure without source is not available for that reason."""
    return {name: attempt(sources[name]) if name in sources else not_available(reason) for name in names}
