"""Which tests each SLO of the catalogue gets, in which files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.base import prometheus_duration
from catalog.burn_rate import BurnRatePolicy, BurnRateWindow
from catalog.load import Catalogue
from catalog.openslo import Service, Slo
from components.monitoring.prometheus_rule import service_rule_groups
from tests.rules.events import is_subset
from tests.rules.promtool import Group, Test, TestFile
from tests.rules.slo_cases import FAST_TICK, NUMBERS_TICK, SloCases, guard_tick_seconds, tick_seconds

Kind = tuple[object, ...]


def slo_files(catalogue: Catalogue) -> Iterator[TestFile]:
    """The test files of every SLO.

    Each gets the pair of a burn that fires and a healthy service that is silent; the first of each kind gets
    all of its windows and every other behaviour; the first with a policy gets the guard of each window.
    """
    seen: set[Kind] = set()
    for service in catalogue.services.values():
        for slo in service.slos:
            policy = catalogue.burn_rate_policies[slo.alert_policy]
            cases = SloCases(service=service, slo=slo, policy=policy)
            is_new, has_new_policy = kind_of(slo) not in seen, (slo.alert_policy,) not in seen
            seen |= {kind_of(slo), (slo.alert_policy,)}
            group = rule_group(service, slo, policy)
            yield TestFile(
                name=slo.name,
                groups=[group],
                tick_seconds=FAST_TICK,
                tests=[*basic_tests(cases), *(kind_tests(cases) if is_new else ())],
            )
            if is_new:
                yield TestFile(
                    name=f"{slo.name}-numbers",
                    groups=[group],
                    tick_seconds=NUMBERS_TICK,
                    tests=[cases.recordings_have_the_right_numbers()],
                )
            for window in policy.windows if is_new else policy.windows[:1]:
                yield window_file(cases, window, only_alert_of(group, window), everything=is_new)
            for window in policy.windows if has_new_policy else policy.windows[: int(is_new)]:
                yield guard_file(cases, window, only_alert_of(group, window))


def basic_tests(cases: SloCases) -> Iterator[Test]:
    """What every SLO is tested for, besides its fastest window."""
    yield cases.healthy_service_is_silent()
    floor = cases.slo.budget_floor
    if floor is not None:
        yield cases.budget_below_its_floor_is_told(floor)
        yield cases.budget_above_its_floor_is_silent(floor)


def kind_tests(cases: SloCases) -> Iterator[Test]:
    """What each kind of SLO is tested for besides."""
    yield cases.first_events_of_a_new_service_are_too_few()
    yield cases.missing_data_is_told_and_claims_nothing()
    yield cases.lost_data_is_told_and_burns_nothing()
    yield cases.service_without_error_series_has_its_whole_budget()
    yield cases.idle_service_is_silent_and_claims_nothing()
    yield cases.restart_is_silent()


def window_file(cases: SloCases, window: BurnRateWindow, group: Group, *, everything: bool) -> TestFile:
    """Tests of one window's alert."""
    tests = [cases.burn_fires_in_time_and_ends_with_the_short_window(window)]
    if everything:
        tests.append(cases.burn_just_under_the_threshold_is_silent(window))
        tests.append(cases.burn_alert_tells_its_numbers(window, group))
    return TestFile(
        name=f"{cases.slo.name}-{prometheus_duration(window.long)}",
        groups=[group],
        tick_seconds=tick_seconds(window),
        tests=tests,
    )


def guard_file(cases: SloCases, window: BurnRateWindow, group: Group) -> TestFile:
    """Tests of one window's guard against low traffic."""
    return TestFile(
        name=f"{cases.slo.name}-{prometheus_duration(window.long)}-guard",
        groups=[group],
        tick_seconds=guard_tick_seconds(window),
        tests=[
            cases.outage_with_too_few_events_is_silent(window),
            cases.outage_with_just_enough_events_fires(window),
        ],
    )


def kind_of(slo: Slo) -> Kind:
    """What makes the rules of two SLOs differ in more than their names."""
    return (slo.ratio.bad is not None, is_subset(slo), slo.target, slo.alert_policy, slo.period)


def rule_group(service: Service, slo: Slo, policy: BurnRatePolicy) -> Group:
    """The rules of one SLO of a service."""
    alone = service.model_copy(update={"slos": (slo,)})
    return service_rule_groups(alone, {slo.alert_policy: policy})[0]


def only_alert_of(group: Group, window: BurnRateWindow) -> Group:
    """The alert of one window with the recordings that it reads: a third of the rules to evaluate."""
    long = prometheus_duration(window.long)
    kept: list[dict[str, Any]] = []
    # From the last rule to the first: whoever reads a recording comes after it.
    for rule in reversed(group["rules"]):
        is_read = any(f"{rule.get('record')}{{" in reader["expr"] for reader in kept)
        if is_read or rule.get("labels", {}).get("long_window") == long:
            kept.append(rule)
    return {**group, "rules": kept[::-1]}
