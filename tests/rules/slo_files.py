"""Which tests each SLO of the catalogue gets, in which files."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.burn_rate import BurnRatePolicy
from catalog.load import Catalogue
from catalog.openslo import Service, Slo
from components.monitoring.prometheus_rule import service_rule_groups
from tests.rules.events import is_subset
from tests.rules.promtool import Group, Test, TestFile
from tests.rules.slo_cases import FAST_TICK, SLOW_TICK, SloCases, tick_seconds

Kind = tuple[object, ...]


def slo_files(catalogue: Catalogue) -> Iterator[TestFile]:
    """The test files of every SLO: all windows for the first of each kind, the fastest for the others."""
    kinds: set[Kind] = set()
    policies: set[str] = set()
    for service in catalogue.services.values():
        for slo in service.slos:
            policy = catalogue.burn_rate_policies[slo.alert_policy]
            cases = SloCases(service=service, slo=slo, policy=policy)
            tests = list(cheap_tests(cases))
            kind = kind_of(slo)
            windows = policy.windows if kind not in kinds else policy.windows[:1]
            for window in windows:
                tests.append((tick_seconds(window), cases.burn_fires_in_time_and_ends_with_the_short_window(window)))
                tests.append((tick_seconds(window), cases.burn_just_under_the_threshold_is_silent(window)))
            # The guard is the same expression for every kind; only its number is the policy's.
            for window in policy.windows if slo.alert_policy not in policies else policy.windows[:1]:
                tests.append((tick_seconds(window), cases.outage_with_too_few_events_is_silent(window)))
                tests.append((tick_seconds(window), cases.outage_with_just_enough_events_fires(window)))
            kinds.add(kind)
            policies.add(slo.alert_policy)
            groups = rule_group(service, slo, policy)
            for tick in (FAST_TICK, SLOW_TICK):
                mine = [test for its, test in tests if its == tick]
                if mine:
                    yield TestFile(name=f"{slo.name}-{tick}", groups=groups, tick_seconds=tick, tests=mine)


def cheap_tests(cases: SloCases) -> Iterator[tuple[int, Test]]:
    """Tests of an hour or so, with the interval of evaluation of each."""
    yield FAST_TICK, cases.healthy_service_is_silent()
    yield FAST_TICK, cases.first_events_of_a_new_service_are_too_few()
    yield FAST_TICK, cases.missing_data_is_told_and_claims_nothing()
    yield FAST_TICK, cases.lost_data_is_told_and_burns_nothing()
    yield FAST_TICK, cases.service_without_error_series_has_its_whole_budget()
    yield FAST_TICK, cases.idle_service_is_silent_and_claims_nothing()
    yield FAST_TICK, cases.restart_is_silent()
    yield SLOW_TICK, cases.recordings_have_the_right_numbers()
    floor = cases.slo.budget_floor
    if floor is not None:
        yield FAST_TICK, cases.budget_below_its_floor_is_told(floor)
        yield FAST_TICK, cases.budget_above_its_floor_is_silent(floor)


def kind_of(slo: Slo) -> Kind:
    """What makes the rules of two SLOs differ in more than their names."""
    return (slo.ratio.bad is not None, is_subset(slo), slo.target, slo.alert_policy, slo.period)


def rule_group(service: Service, slo: Slo, policy: BurnRatePolicy) -> list[Group]:
    """The rules of one SLO of a service."""
    alone = service.model_copy(update={"slos": (slo,)})
    return list(service_rule_groups(alone, {slo.alert_policy: policy}))
