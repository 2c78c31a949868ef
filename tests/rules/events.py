"""Counters of a service's events, in promtool's notation, from the selectors of its SLO."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalog.openslo import Slo

_MATCHER = re.compile(r'(\w+)(=~|!=|!~|=)"([^"]*)"')
# Counters that start at 0 make rate() extrapolate less, as they must have been there from the start.
_COUNTED_BEFORE = 1_000_000.0

Missing = Literal["nothing", "bad", "good", "all"]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A time in which a service behaves evenly.

    Attributes:
        seconds: How long it lasts.
        bad: Share of its events that are bad.
        per_second: Events per second, None where nothing is scraped.
        restarts: Whether every counter starts from 0 at its beginning.
    """

    seconds: float
    bad: float = 0.0
    per_second: float | None = 10.0
    restarts: bool = False


def is_subset(slo: Slo) -> bool:
    """Whether the good or bad events are some of the total's series, rather than another metric."""
    part = slo.ratio.bad or slo.ratio.good
    return part is not None and _metric(part.metric_source.spec.query) == _metric(_total(slo))


def input_series(
    slo: Slo,
    phases: Sequence[Phase],
    sample_seconds: int,
    *,
    missing: Missing = "nothing",
    pods: int = 1,
    service: str | None = None,
) -> list[dict[str, Any]]:
    """Input series of a promtool test, from time 0 on.

    Args:
        slo: The objective; its selectors say which series there are.
        phases: What happens, one after the other.
        sample_seconds: Scrape interval, the test's `interval`.
        missing: Series that do not exist.
        pods: Number of pods that share the events evenly.
        service: Value of the label `service` in the place of the selectors' own.
    """
    part = slo.ratio.bad or slo.ratio.good
    if part is None or missing == "all":
        return []
    named: Literal["bad", "good"] = "bad" if slo.ratio.bad else "good"
    selector = part.metric_source.spec.query
    counted = {named: (_metric(selector), _labels(selector))}
    if is_subset(slo):
        rest: Literal["bad", "good"] = "good" if named == "bad" else "bad"
        counted[rest] = (_metric(selector), _labels_of_the_rest(selector, _total(slo)))
    series = [
        (identity, [_share(phase, kind) for phase in phases])
        for kind, identity in counted.items()
        if kind != missing
    ]
    if not is_subset(slo):
        series.append(((_metric(_total(slo)), _labels(_total(slo))), [1.0] * len(phases)))
    overridden = {"service": service} if service else {}
    return [
        {
            "series": _series(metric, {**labels, **overridden, "pod": f"pod-{pod}"}),
            "values": _values(phases, [share / pods for share in shares], sample_seconds),
        }
        for (metric, labels), shares in series
        for pod in range(pods)
    ]


def _share(phase: Phase, kind: str) -> float:
    return phase.bad if kind == "bad" else 1 - phase.bad


def _total(slo: Slo) -> str:
    return slo.ratio.total.metric_source.spec.query


def _metric(selector: str) -> str:
    return selector.partition("{")[0]


def _labels(selector: str) -> dict[str, str]:
    """Labels of one series that the selector matches."""
    labels = {}
    for name, operator, value in _MATCHER.findall(selector):
        if operator == "=":
            labels[name] = value
        elif operator == "=~":
            labels[name] = value.split("|")[0].replace(".*", "").replace(".+", "0")
            if not re.fullmatch(value, labels[name]):
                labels[name] = labels[name].replace(".", "0")
            if not re.fullmatch(value, labels[name]):
                raise ValueError(f"no value found for {name}=~{value!r} in {selector}: teach this function")
    return labels


def _labels_of_the_rest(part: str, total: str) -> dict[str, str]:
    """Labels of one series that the total has and the part does not."""
    shared = _labels(total)
    return shared | {name: "other" for name in _labels(part) if name not in shared}


def _series(metric: str, labels: dict[str, str]) -> str:
    return metric + "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _values(phases: Sequence[Phase], shares: Sequence[float], sample_seconds: int) -> str:
    """The counter as promtool reads it: a first sample at time 0, then one part for each phase."""
    value = _COUNTED_BEFORE
    parts = [f"{value:.9f}" if phases[0].per_second is not None else "_"]
    for phase, share in zip(phases, shares, strict=True):
        samples = round(phase.seconds / sample_seconds)
        if phase.per_second is None:
            parts.append(f"_x{samples}")
            continue
        step = phase.per_second * share * sample_seconds
        value = 0.0 if phase.restarts else value
        parts.append(f"{value + step:.9f}+{step:.9f}x{samples - 1}")
        value += step * samples
    return " ".join(parts)
