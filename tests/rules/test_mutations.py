"""A rule that is broken on purpose fails a test: the tests look at what they say they look at."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from catalog.load import Catalogue, load_catalogue
from tests.rules.job_cases import JobCases
from tests.rules.promtool import Group, TestFile, outcomes
from tests.rules.slo_cases import FAST_TICK, SloCases
from tests.rules.slo_files import (
    basic_tests,
    guard_file,
    kind_tests,
    only_alert_of,
    rule_group,
    window_file,
)

pytestmark = pytest.mark.timeout(300)

Rule = dict[str, Any]
Change = Callable[[Rule], object]


def _expression(name: str, pattern: str, replacement: str) -> Change:
    """A change of the expression of the rules with a name, in its first match."""

    def change(rule: Rule) -> None:
        if name in (rule.get("alert"), rule.get("record")):
            rule["expr"] = re.sub(pattern, replacement, rule["expr"], count=1)

    return change


def _without_waiting(name: str) -> Change:
    return lambda rule: rule.pop("for", None) if rule.get("alert") == name else None


_BURN = "SloErrorBudgetBurn"
_FACTOR = r"> ([\d.]+) \*"

BURN_ALERT_MUTANTS: dict[str, Change] = {
    "long window compares the other way": _expression(_BURN, ">", "<"),
    "short window compares the other way": _expression(_BURN, r"(and [^>]*)>", r"\1<"),
    "short window is dropped": _expression(_BURN, r"\nand slo:sli_error.*", ""),
    "long window is dropped": _expression(_BURN, r"^.*\nand ", ""),
    "factor is 3 % lower": _expression(_BURN, _FACTOR, r"> 0.97 * \1 *"),
    "factor is 3 % higher": _expression(_BURN, _FACTOR, r"> 1.03 * \1 *"),
    "minimum of events is dropped": _expression(_BURN, r"\nand slo:total_events.*", ""),
    "minimum of events is one higher": _expression(_BURN, r">= \d+", ">= 22"),
}

SLO_MUTANTS: dict[str, Change] = {
    "events are an average over the window": _expression(
        "slo:total_events:increase1h", r".*", "avg_over_time(slo:total_events:rate5m[1h]) * 3600"
    ),
    "service without errors has no count": _expression("slo:bad_events:rate5m", r" or .* \* 0", ""),
    "idle service divides by zero": _expression("slo:sli_error:ratio_rate5m", r" > 0", ""),
    "budget left is what is spent": _expression("slo:error_budget_remaining:ratio", r"^1 - ", ""),
    "missing data is told at once": _without_waiting("SloNoData"),
    "missing data is never told": _expression("SloNoData", "absent", "count"),
}

JOB_MUTANTS: dict[str, Change] = {
    "limit compares the other way": _expression("OperationsJobMissed", ">", "<"),
    "limit is an hour more": _expression("OperationsJobMissed", r"> (\d+)", r"> 3600 + \1"),
    "creation does not count": _expression("operations_job:seconds_since_success:max", r"or max.*\)", ")"),
    "any job's success counts": _expression(
        "operations_job:seconds_since_success:max", r",cronjob=[^}]*", ""
    ),
    "gone job is told at once": _without_waiting("OperationsJobUnknown"),
    "shortest run is taken": _expression("operations_job:duration_seconds:max", "max", "min"),
}


def _mutant(file: TestFile, name: str, change: Change) -> TestFile:
    groups = copy.deepcopy(list(file.groups))
    for group in groups:
        for rule in group["rules"]:
            change(rule)
    assert groups != list(file.groups), f"the mutant {name!r} changes nothing"
    tests = [{**test, "name": f"{name}: {test['name']}"} for test in file.tests]
    slug = f"{file.name}-{re.sub(r'[^a-z0-9]+', '-', name)}"
    return TestFile(name=slug, groups=groups, tick_seconds=file.tick_seconds, tests=tests)


def _mutants(catalogue: Catalogue) -> Iterator[TestFile]:
    service = catalogue.services["reporting"]
    slo = service.slos[0]
    policy = catalogue.burn_rate_policies[slo.alert_policy]
    cases = SloCases(service=service, slo=slo, policy=policy)
    group: Group = rule_group(service, slo, policy)
    fastest = policy.windows[0]
    alone = only_alert_of(group, fastest)
    for name, change in BURN_ALERT_MUTANTS.items():
        window = window_file(cases, fastest, alone, everything=True)
        window.tests.extend(guard_file(cases, fastest, alone).tests)
        yield _mutant(window, name, change)
    tests = [*basic_tests(cases), *kind_tests(cases)]
    whole = TestFile(name=slo.name, groups=[group], tick_seconds=FAST_TICK, tests=tests)
    for name, change in SLO_MUTANTS.items():
        yield _mutant(whole, name, change)
    job = JobCases(name="nightly-evidence", job=catalogue.jobs["nightly-evidence"]).file()
    for name, change in JOB_MUTANTS.items():
        yield _mutant(job, name, change)


@pytest.fixture(scope="module")
def mutant_outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return outcomes(list(_mutants(load_catalogue())), tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("mutant", [*BURN_ALERT_MUTANTS, *SLO_MUTANTS, *JOB_MUTANTS])
def test_a_test_fails_where(mutant: str, mutant_outcomes: Mapping[str, str]) -> None:
    mine = {name: said for name, said in mutant_outcomes.items() if name.startswith(f"{mutant}: ")}
    assert mine
    assert [name for name, said in mine.items() if said] != []
