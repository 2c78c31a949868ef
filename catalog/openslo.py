"""Services and SLOs as OpenSLO v1 documents (https://github.com/OpenSLO/OpenSLO, v1).

A query is a counter's selector, such as `http_requests_total{service="reporting"}`: OpenSLO says
`counter: true` for it, and day2 puts `sum(rate(…[window]))` around it, once for each window.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from catalog.base import CatalogueModel, Duration, Name

_SELECTOR = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})?")
_INTEGER_BUCKET = re.compile(r'\ble="(\d+)"')
_BUDGET_FLOOR_ANNOTATION = "day2.dev/budget-floor"


def _is_selector(query: str) -> str:
    if not _SELECTOR.fullmatch(query):
        raise ValueError(
            'is not a counter\'s selector: write metric{label="value"} without rate() and range, '
            "day2 adds them for every window"
        )
    integer = _INTEGER_BUCKET.search(query)
    if integer:
        bound = integer.group(1)
        raise ValueError(
            f"selects the bucket {integer.group()}, which Prometheus 3 stores as {bound}.0: "
            f'write le=~"{bound}|{bound}.0"'
        )
    return query


Selector = Annotated[str, AfterValidator(_is_selector)]


class Metadata(CatalogueModel):
    """Name and labels of an OpenSLO object."""

    name: Name
    display_name: str | None = Field(default=None, alias="displayName")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class MetricSourceSpec(CatalogueModel):
    """The query of a Prometheus metric source."""

    query: Selector


class MetricSource(CatalogueModel):
    """Where a number comes from; Prometheus is the only source that day2 has."""

    type: Literal["Prometheus"]
    spec: MetricSourceSpec


class Metric(CatalogueModel):
    """Wrapper that OpenSLO puts around a metric source."""

    metric_source: MetricSource = Field(alias="metricSource")


class RatioMetric(CatalogueModel):
    """Share of good events, given by good or bad ones beside all."""

    counter: Literal[True]
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric

    @model_validator(mode="after")
    def _good_or_bad(self) -> Self:
        if (self.good is None) == (self.bad is None):
            raise ValueError("needs exactly one of good and bad beside total: remove or add one")
        return self


class IndicatorSpec(CatalogueModel):
    """What is measured."""

    ratio_metric: RatioMetric = Field(alias="ratioMetric")


class Indicator(CatalogueModel):
    """An SLI that stands inside its SLO."""

    metadata: Metadata | None = None
    spec: IndicatorSpec


class TimeWindow(CatalogueModel):
    """Period over which the objective holds."""

    duration: Duration
    is_rolling: Literal[True] = Field(alias="isRolling")

    @model_validator(mode="after")
    def _known_period(self) -> Self:
        if self.duration not in (timedelta(days=28), timedelta(days=30)):
            raise ValueError("has a period that no burn-rate windows exist for: use 28d or 30d")
        return self


class Objective(CatalogueModel):
    """Share of events that must be good, 0.999 for 99.9 %."""

    display_name: str | None = Field(default=None, alias="displayName")
    target: Annotated[float, Field(gt=0, lt=1)]


class SloSpec(CatalogueModel):
    """The body of an SLO."""

    description: str
    service: Name
    indicator: Indicator
    time_window: Annotated[list[TimeWindow], Field(alias="timeWindow", min_length=1, max_length=1)]
    budgeting_method: Literal["Occurrences"] = Field(alias="budgetingMethod")
    objectives: Annotated[list[Objective], Field(min_length=1, max_length=1)]
    alert_policies: Annotated[list[Name], Field(alias="alertPolicies", min_length=1, max_length=1)]


class Slo(CatalogueModel):
    """One service level objective; everything else (rules, gates, reports) is derived from it."""

    api_version: Literal["openslo/v1"] = Field(alias="apiVersion")
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec

    @model_validator(mode="after")
    def _budget_floor_is_a_ratio(self) -> Self:
        text = self.metadata.annotations.get(_BUDGET_FLOOR_ANNOTATION)
        if text is not None and not (re.fullmatch(r"0?\.\d+", text) and 0 < float(text) < 1):
            raise ValueError(
                f"has annotation {_BUDGET_FLOOR_ANNOTATION}={text!r}: write a share such as '0.5'"
            )
        return self

    @property
    def name(self) -> str:
        """Name of the SLO, unique in the catalogue."""
        return self.metadata.name

    @property
    def service(self) -> str:
        """Name of the service that it is about."""
        return self.spec.service

    @property
    def target(self) -> float:
        """Share of events that must be good over the period."""
        return self.spec.objectives[0].target

    @property
    def error_budget(self) -> float:
        """Share of events that may be bad over the period, rounded to take out float noise."""
        return round(1 - self.target, 12)

    @property
    def period(self) -> timedelta:
        """Rolling period of the objective."""
        return self.spec.time_window[0].duration

    @property
    def alert_policy(self) -> str:
        """Name of the burn-rate policy that it alerts by."""
        return self.spec.alert_policies[0]

    @property
    def ratio(self) -> RatioMetric:
        """The indicator's good or bad events and their total."""
        return self.spec.indicator.spec.ratio_metric

    @property
    def budget_floor(self) -> float | None:
        """Share of the error budget below which a ticket is opened, None for no such alert."""
        text = self.metadata.annotations.get(_BUDGET_FLOOR_ANNOTATION)
        return None if text is None else float(text)


class ServiceSpec(CatalogueModel):
    """The body of a service."""

    description: str


class ServiceDocument(CatalogueModel):
    """An OpenSLO service; labels `tier` and `team` say how much it matters and who answers."""

    api_version: Literal["openslo/v1"] = Field(alias="apiVersion")
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec

    @model_validator(mode="after")
    def _has_tier_and_team(self) -> Self:
        missing = sorted({"tier", "team"} - self.metadata.labels.keys())
        if missing:
            raise ValueError(f"lacks the labels {', '.join(missing)} in metadata.labels: add them")
        return self


class Service(CatalogueModel):
    """One file of `catalog/services`: a service and its SLOs.

    Attributes:
        document: The OpenSLO service object.
        slos: Its SLOs, in the file's order.
    """

    document: ServiceDocument
    slos: tuple[Slo, ...]

    @property
    def name(self) -> str:
        """Name of the service."""
        return self.document.metadata.name

    @property
    def team(self) -> str:
        """Team that answers for it; alerts carry it as a label."""
        return self.document.metadata.labels["team"]

    @property
    def tier(self) -> str:
        """How much it matters: "1" most."""
        return self.document.metadata.labels["tier"]
