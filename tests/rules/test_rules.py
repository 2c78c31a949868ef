"""The rules of every SLO and job, on the real promtool; the tests come from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.load import Catalogue
from tests.rules.job_cases import JobCases
from tests.rules.promtool import check_rules
from tests.rules.slo_files import rule_group

pytestmark = pytest.mark.timeout(300)


def test_promtool_agrees_that(behaviour: str, promtool_outcomes: Mapping[str, str]) -> None:
    assert promtool_outcomes[behaviour] == ""


def test_every_slo_is_tested_for_a_burn_and_for_silence(
    catalogue: Catalogue, promtool_outcomes: Mapping[str, str]
) -> None:
    untested = [
        slo.name
        for slo in catalogue.slos
        if f"{slo.name}: healthy service is silent" not in promtool_outcomes
        or not any(name.startswith(f"{slo.name}: burn over") for name in promtool_outcomes)
    ]
    assert catalogue.slos
    assert untested == []


def test_all_rules_pass_the_linter(catalogue: Catalogue, tmp_path: Path) -> None:
    slo_groups = [
        rule_group(service, slo, catalogue.burn_rate_policies[slo.alert_policy])
        for service in catalogue.services.values()
        for slo in service.slos
    ]
    job_groups = [
        group for name, job in catalogue.jobs.items() for group in JobCases(name=name, job=job).file().groups
    ]
    assert check_rules([*slo_groups, *job_groups], tmp_path) == ""
