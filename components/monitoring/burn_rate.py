"""Prometheus rules of an SLO: recordings of its SLI and alerts on its error budget's burn rate.

The method is chapter 5 of the SRE workbook (https://sre.google/workbook/alerting-on-slos/): an alert needs
a long window, which gives precision, and a short one, which ends it soon after the burn has ended.

Recordings, all with the labels `slo` and `service`:

- `slo:bad_events:rate5m`, `slo:total_events:rate5m`: events per second
- `slo:sli_error:ratio_rate<window>`: share of bad events, for every window of the policy, 7 d and the period
- `slo:total_events:increase<window>`: events in each long window, for the guard against low traffic
- `slo:error_budget:ratio`: share of events that may be bad
- `slo:current_burn_rate:ratio`, `slo:burn_rate:ratio_rate7d`: burn over an hour and over 7 days
- `slo:error_budget_remaining:ratio`: budget left over the period; below 0 when overspent
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from catalog.base import prometheus_duration

if TYPE_CHECKING:
    from catalog.burn_rate import BurnRatePolicy, BurnRateWindow
    from catalog.openslo import RatioMetric, Service, Slo

Rule = dict[str, Any]
"""One rule of a Prometheus rule group: `record` or `alert`, `expr`, `labels`, …"""

_BASE_WINDOW = timedelta(minutes=5)
_CURRENT_WINDOW = timedelta(hours=1)
_TREND_WINDOW = timedelta(days=7)
# Up to here a window is computed from the counters; longer ones average the 5-minute recordings, which costs
# a fortieth of the samples and differs only where a scrape was missed.
_LONGEST_DIRECT_WINDOW = timedelta(hours=1)
_ABSENT_FOR = "15m"


def recording_rules(slo: Slo, policy: BurnRatePolicy) -> list[Rule]:
    """Recordings of an SLO.

    Args:
        slo: The objective.
        policy: The burn-rate policy that it names.
    """
    events = [
        _recording(slo, "slo:bad_events:rate5m", _bad_rate(slo.ratio, "5m")),
        _recording(slo, "slo:total_events:rate5m", _total_rate(slo.ratio, "5m")),
    ]
    ratios = [_recording(slo, error_ratio(w), _error_ratio(slo, w)) for w in _windows(slo, policy)]
    counts = [
        _recording(slo, event_count(w), _event_count(slo, w))
        for w in sorted({window.long for window in policy.windows})
    ]
    budget = [
        _recording(slo, "slo:error_budget:ratio", f"vector({slo.error_budget:g})"),
        _recording(slo, "slo:current_burn_rate:ratio", _burn(slo, _CURRENT_WINDOW)),
        _recording(slo, "slo:burn_rate:ratio_rate7d", _burn(slo, _TREND_WINDOW)),
        _recording(slo, "slo:error_budget_remaining:ratio", f"1 - {_burn(slo, slo.period)}"),
    ]
    return [*events, *ratios, *counts, *budget]


def alerting_rules(service: Service, slo: Slo, policy: BurnRatePolicy) -> list[Rule]:
    """Alerts of an SLO: one for each window pair, one for missing data, one for its budget floor.

    Args:
        service: The service that the objective is about; its team answers for the alert.
        slo: The objective.
        policy: The burn-rate policy that it names.
    """
    rules = [_burn_alert(service, slo, policy, window) for window in policy.windows]
    rules.append(_no_data_alert(service, slo))
    if slo.budget_floor is not None:
        rules.append(_budget_floor_alert(service, slo, slo.budget_floor))
    return rules


def error_ratio(window: timedelta) -> str:
    """Name of the recording of an SLI's error ratio over a window."""
    return f"slo:sli_error:ratio_rate{prometheus_duration(window)}"


def event_count(window: timedelta) -> str:
    """Name of the recording of the number of events in a window."""
    return f"slo:total_events:increase{prometheus_duration(window)}"


def _windows(slo: Slo, policy: BurnRatePolicy) -> list[timedelta]:
    of_alerts = {length for window in policy.windows for length in (window.long, window.short)}
    return sorted({_BASE_WINDOW, _CURRENT_WINDOW, _TREND_WINDOW, slo.period} | of_alerts)


def _bad_rate(ratio: RatioMetric, window: str) -> str:
    """Bad events per second.

    A service that has not failed yet has no error series: it counts 0 bad events, but only while its total
    is there, so that missing data stays missing.
    """
    total = _total_rate(ratio, window)
    if ratio.bad is not None:
        return f"(sum(rate({ratio.bad.metric_source.spec.query}[{window}])) or {total} * 0)"
    if ratio.good is None:
        raise ValueError("a ratio without good and bad events")  # the model refuses it
    good = f"(sum(rate({ratio.good.metric_source.spec.query}[{window}])) or {total} * 0)"
    # Buckets and their count are scraped together but may be a sample apart after a restart.
    return f"clamp_min({total} - {good}, 0)"


def _total_rate(ratio: RatioMetric, window: str) -> str:
    return f"sum(rate({ratio.total.metric_source.spec.query}[{window}]))"


def _error_ratio(slo: Slo, window: timedelta) -> str:
    """Bad over all events; no result, rather than NaN, where there were none."""
    if window <= _LONGEST_DIRECT_WINDOW:
        length = prometheus_duration(window)
        return f"{_bad_rate(slo.ratio, length)} / ({_total_rate(slo.ratio, length)} > 0)"
    bad = _average(slo, "slo:bad_events:rate5m", window)
    return f"{bad} / ({_average(slo, 'slo:total_events:rate5m', window)} > 0)"


def _average(slo: Slo, recording: str, window: timedelta) -> str:
    return f"avg_over_time({_of(slo, recording)}[{prometheus_duration(window)}])"


def _event_count(slo: Slo, window: timedelta) -> str:
    """Events that were seen, in steps of 5 min; an average would make 13,000 in 3 d of 3 in a minute."""
    step = prometheus_duration(_BASE_WINDOW)
    rates = f"{_of(slo, 'slo:total_events:rate5m')}[{prometheus_duration(window)}:{step}]"
    return f"sum_over_time({rates}) * {int(_BASE_WINDOW.total_seconds())}"


def _burn(slo: Slo, window: timedelta) -> str:
    return f"{_of(slo, error_ratio(window))} / {slo.error_budget:g}"


def _of(slo: Slo, recording: str) -> str:
    return f'{recording}{{slo="{slo.name}"}}'


def _recording(slo: Slo, name: str, expression: str) -> Rule:
    return {"record": name, "expr": expression, "labels": {"slo": slo.name, "service": slo.service}}


def _burn_alert(service: Service, slo: Slo, policy: BurnRatePolicy, window: BurnRateWindow) -> Rule:
    burn = window.burn_rate(slo.period)
    threshold = f"{burn:g} * {slo.error_budget:g}"
    long, short = prometheus_duration(window.long), prometheus_duration(window.short)
    expression = (
        f"{_of(slo, error_ratio(window.long))} > {threshold}\n"
        f"and {_of(slo, error_ratio(window.short))} > {threshold}\n"
        f"and {_of(slo, event_count(window.long))} >= {policy.minimum_events}"
    )
    return {
        "alert": "SloErrorBudgetBurn",
        "expr": expression,
        "labels": {**_labels(service, slo, window.severity), "long_window": long, "short_window": short},
        "annotations": {
            "summary": f"{slo.name} burns its error budget {burn:g} times too fast: "
            f"{{{{ $value | humanizePercentage }}}} bad events over {long}",
            "description": f"{slo.spec.description} At this pace {window.budget_consumed:.0%} of the budget "
            f"of {prometheus_duration(slo.period)} is gone within {long}.",
            "runbook_url": "docs/runbooks/slo-error-budget-burn.md",
        },
    }


def _no_data_alert(service: Service, slo: Slo) -> Rule:
    return {
        "alert": "SloNoData",
        "expr": f"absent({_of(slo, 'slo:total_events:rate5m')})",
        "for": _ABSENT_FOR,
        "labels": _labels(service, slo, "warning"),
        "annotations": {
            "summary": f"{slo.name} has no data: nothing is known about it, so it does not count as met",
            "description": f"No series matches {slo.ratio.total.metric_source.spec.query}.",
            "runbook_url": "docs/runbooks/slo-no-data.md",
        },
    }


def _budget_floor_alert(service: Service, slo: Slo, floor: float) -> Rule:
    return {
        "alert": "SloErrorBudgetLow",
        "expr": f"{_of(slo, 'slo:error_budget_remaining:ratio')} < {floor:g}",
        "for": _ABSENT_FOR,
        "labels": _labels(service, slo, "warning"),
        "annotations": {
            "summary": f"{slo.name} has {{{{ $value | humanizePercentage }}}} of its error budget left, "
            f"less than {floor:.0%}",
            "description": slo.spec.description,
            "runbook_url": "docs/runbooks/slo-error-budget-burn.md",
        },
    }


def _labels(service: Service, slo: Slo, severity: str) -> dict[str, str]:
    return {"severity": severity, "team": service.team, "service": service.name, "slo": slo.name}
