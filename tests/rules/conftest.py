"""One run of promtool for all rules of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from catalog.load import Catalogue, load_catalogue
from tests.rules.job_cases import JobCases
from tests.rules.promtool import TestFile, outcomes
from tests.rules.slo_files import slo_files


def catalogue_files(catalogue: Catalogue) -> list[TestFile]:
    """Tests of all SLOs and jobs."""
    jobs = [JobCases(name=name, job=job).file() for name, job in catalogue.jobs.items()]
    return [*slo_files(catalogue), *jobs]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "behaviour" in metafunc.fixturenames:
        names = [test["name"] for file in catalogue_files(load_catalogue()) for test in file.tests]
        metafunc.parametrize("behaviour", names)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def promtool_outcomes(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What promtool says against each behaviour, empty for one that holds."""
    return outcomes(catalogue_files(catalogue), tmp_path_factory.mktemp("rules"))
