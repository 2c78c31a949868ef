"""Burn-rate rules as data; what Prometheus makes of them is for the tests of the rules."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from catalog.burn_rate import BurnRatePolicy
from catalog.load import Catalogue
from catalog.openslo import Service, Slo
from components.monitoring.burn_rate import alerting_rules, error_ratio, event_count, recording_rules
from components.monitoring.prometheus_rule import service_rule_groups

_READ = re.compile(r'(slo:[a-z0-9_:]+)\{slo="([^"]+)"\}')


@pytest.fixture
def service(catalogue: Catalogue) -> Service:
    return catalogue.services["reporting"]


@pytest.fixture
def policy(catalogue: Catalogue) -> BurnRatePolicy:
    return catalogue.burn_rate_policies["multiwindow"]


def _slo(service: Service, name: str) -> Slo:
    return next(slo for slo in service.slos if slo.name == name)


def _rules_of_all(catalogue: Catalogue) -> list[list[dict[str, Any]]]:
    return [
        group["rules"]
        for service in catalogue.services.values()
        for group in service_rule_groups(service, catalogue.burn_rate_policies)
    ]


def _recorded(slo: Slo, policy: BurnRatePolicy) -> dict[str, str]:
    return {rule["record"]: rule["expr"] for rule in recording_rules(slo, policy)}


def test_the_burn_rates_of_30_days_are_those_of_the_sre_workbook(policy: BurnRatePolicy) -> None:
    month = timedelta(days=30)
    hours = [
        (w.severity, w.long / timedelta(hours=1), w.short / timedelta(hours=1), w.burn_rate(month))
        for w in policy.windows
    ]
    assert hours == [
        ("critical", 1, 5 / 60, 14.4),
        ("critical", 6, 0.5, 6),
        ("warning", 24, 2, 3),
        ("warning", 72, 6, 1),
    ]


def test_a_period_of_28_days_scales_the_burn_rates(policy: BurnRatePolicy) -> None:
    assert [w.burn_rate(timedelta(days=28)) for w in policy.windows] == [13.44, 5.6, 2.8, 0.933333]


def test_wide_budgets_have_only_windows_that_they_can_reach(catalogue: Catalogue) -> None:
    wide = catalogue.burn_rate_policies["wide-budget"]
    assert [w.burn_rate(timedelta(days=30)) for w in wide.windows] == [3, 1]


def test_every_shipped_alert_can_fire(catalogue: Catalogue) -> None:
    thresholds = {
        (slo.name, window.long): window.burn_rate(slo.period) * slo.error_budget
        for slo in catalogue.slos
        for window in catalogue.burn_rate_policies[slo.alert_policy].windows
    }
    assert {key: value for key, value in thresholds.items() if not 0 < value < 1} == {}


def test_an_alert_needs_the_long_window_the_short_one_and_enough_events(
    service: Service, policy: BurnRatePolicy
) -> None:
    slo = _slo(service, "reporting-availability")
    alerts = [r for r in alerting_rules(service, slo, policy) if r["alert"] == "SloErrorBudgetBurn"]
    assert [alert["expr"] for alert in alerts] == [
        f'slo:sli_error:ratio_rate{long}{{slo="reporting-availability"}} > {burn} * 0.002\n'
        f'and slo:sli_error:ratio_rate{short}{{slo="reporting-availability"}} > {burn} * 0.002\n'
        f'and slo:total_events:increase{long}{{slo="reporting-availability"}} >= 20'
        for burn, long, short in (
            ("14.4", "1h", "5m"),
            ("6", "6h", "30m"),
            ("3", "1d", "2h"),
            ("1", "3d", "6h"),
        )
    ]
    assert [alert["labels"]["severity"] for alert in alerts] == ["critical", "critical", "warning", "warning"]


def test_every_recording_that_a_rule_reads_is_recorded_before_it(catalogue: Catalogue) -> None:
    reads = 0
    for rules in _rules_of_all(catalogue):
        known: set[tuple[str, str]] = set()
        for rule in rules:
            read = set(_READ.findall(rule["expr"]))
            assert read <= known, f"{rule.get('record') or rule['alert']} reads {read - known} too early"
            reads += len(read)
            if "record" in rule:
                known.add((rule["record"], rule["labels"]["slo"]))
    assert reads > 100


def test_no_series_is_recorded_twice(catalogue: Catalogue) -> None:
    series = Counter(
        (rule["record"], rule["labels"]["slo"])
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if "record" in rule
    )
    assert [name for name, times in series.items() if times > 1] == []


def test_alerts_differ_by_their_labels(catalogue: Catalogue) -> None:
    alerts = Counter(
        (rule["alert"], *sorted(rule["labels"].items()))
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if "alert" in rule
    )
    assert [alert for alert, times in alerts.items() if times > 1] == []


def test_bad_events_count_as_0_only_while_the_total_is_there(
    service: Service, policy: BurnRatePolicy
) -> None:
    recorded = _recorded(_slo(service, "reporting-availability"), policy)
    total = 'sum(rate(http_requests_total{service="reporting"}[5m]))'
    bad = 'sum(rate(http_requests_total{service="reporting",code=~"5.."}[5m]))'
    assert recorded["slo:bad_events:rate5m"] == f"({bad} or {total} * 0)"
    assert recorded["slo:total_events:rate5m"] == total
    assert recorded["slo:sli_error:ratio_rate5m"] == f"({bad} or {total} * 0) / ({total} > 0)"


def test_good_events_are_taken_from_the_total_and_never_make_bad_ones_negative(
    service: Service, policy: BurnRatePolicy
) -> None:
    recorded = _recorded(_slo(service, "reporting-generation"), policy)
    total = 'sum(rate(report_generations_total{service="reporting"}[5m]))'
    good = 'sum(rate(report_generations_total{service="reporting",outcome="success"}[5m]))'
    assert recorded["slo:bad_events:rate5m"] == f"clamp_min({total} - ({good} or {total} * 0), 0)"


def test_missing_data_is_nowhere_filled_in(catalogue: Catalogue) -> None:
    filled = [
        rule["expr"]
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if "or vector" in rule["expr"] or "or on()" in rule["expr"]
    ]
    assert filled == []


def test_every_ratio_has_no_result_rather_than_nan_without_events(catalogue: Catalogue) -> None:
    ratios = [
        rule["expr"]
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if rule.get("record", "").startswith("slo:sli_error:")
    ]
    assert ratios
    assert [expr for expr in ratios if not expr.endswith(" > 0)")] == []


def test_long_windows_average_the_short_recordings(service: Service, policy: BurnRatePolicy) -> None:
    recorded = _recorded(_slo(service, "reporting-latency"), policy)
    of = '{slo="reporting-latency"}'
    assert recorded[error_ratio(timedelta(days=3))] == (
        f"avg_over_time(slo:bad_events:rate5m{of}[3d]) / (avg_over_time(slo:total_events:rate5m{of}[3d]) > 0)"
    )
    assert recorded[event_count(timedelta(hours=6))] == (
        f"sum_over_time(slo:total_events:rate5m{of}[6h:5m]) * 300"
    )


def test_the_budget_is_free_of_float_noise(service: Service, policy: BurnRatePolicy) -> None:
    recorded = _recorded(_slo(service, "reporting-availability"), policy)
    assert recorded["slo:error_budget:ratio"] == "vector(0.002)"
    assert recorded["slo:error_budget_remaining:ratio"] == (
        '1 - slo:sli_error:ratio_rate30d{slo="reporting-availability"} / 0.002'
    )


def test_missing_data_raises_an_alert_of_its_own(catalogue: Catalogue) -> None:
    expressions = {
        rule["labels"]["slo"]: rule["expr"]
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if rule.get("alert") == "SloNoData"
    }
    assert expressions == {
        slo.name: f'absent(slo:total_events:rate5m{{slo="{slo.name}"}})' for slo in catalogue.slos
    }


def test_only_an_slo_with_a_floor_alerts_on_its_remaining_budget(catalogue: Catalogue) -> None:
    low = [
        (rule["labels"]["slo"], rule["expr"])
        for rules in _rules_of_all(catalogue)
        for rule in rules
        if rule.get("alert") == "SloErrorBudgetLow"
    ]
    floors = {slo.name: slo.budget_floor for slo in catalogue.slos if slo.budget_floor is not None}
    assert floors
    assert low == [
        (name, f'slo:error_budget_remaining:ratio{{slo="{name}"}} < {floor:g}')
        for name, floor in floors.items()
    ]


def test_every_alert_says_who_answers_and_how(catalogue: Catalogue) -> None:
    for rules in _rules_of_all(catalogue):
        for rule in rules:
            if "alert" in rule:
                assert rule["labels"].keys() >= {"severity", "team", "service", "slo"}
                assert rule["annotations"].keys() >= {"summary", "description", "runbook_url"}
