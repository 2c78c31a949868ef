"""Burn-rate windows as data: how fast an error budget may burn before someone is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from catalog.base import CatalogueModel, Duration, Name


class BurnRateWindow(CatalogueModel):
    """One alert condition: this share of the budget burnt in the long window, still burning in the short.

    Attributes:
        severity: `critical` pages, `warning` opens a ticket.
        budget_consumed: Share of the period's error budget that the long window may burn, 0.02 for 2 %.
        long: Window that gives precision.
        short: Window that ends the alert soon after the burn ends.
    """

    severity: Literal["critical", "warning"]
    budget_consumed: Annotated[float, Field(gt=0, lt=1)]
    long: Duration
    short: Duration

    @model_validator(mode="after")
    def _short_is_shorter(self) -> Self:
        if self.short >= self.long:
            raise ValueError("has a short window that is not shorter than the long one: swap or mend them")
        return self

    def burn_rate(self, period: timedelta) -> float:
        """How many times faster than evenly the budget burns at this condition: 14.4 for 2 %/1 h of 30 d."""
        return round(self.budget_consumed * (period / self.long), 6)


class BurnRatePolicy(CatalogueModel):
    """A named set of windows that SLOs choose with `alertPolicies`.

    Attributes:
        source: Where the numbers come from.
        minimum_events: Events that the long window must hold before an alert may fire: below that, one
            unlucky request looks like an outage.
        windows: The conditions, fastest first.
    """

    source: str
    minimum_events: Annotated[int, Field(ge=1)]
    windows: Annotated[tuple[BurnRateWindow, ...], Field(min_length=1)]


BurnRatePolicies = dict[Name, BurnRatePolicy]
