"""`python -m catalog`."""

from __future__ import annotations

import subprocess
import sys

from local.recording import ROOT
from tests.unit.support import TENANT, CatalogueCopy


def _catalog(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catalog", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "300"},
        timeout=60,
    )


def test_it_prints_services_jobs_and_tenants() -> None:
    done = _catalog()
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("reporting-latency", "99.8 %", "nightly-evidence", "0 2 * * *", "nordlys", "4,200"):
        assert expected in done.stdout


def test_a_wrong_entry_is_one_line_on_stderr_and_exit_code_1(copy: CatalogueCopy) -> None:
    copy.replace(TENANT, "Europe/Oslo", "CET+1")
    done = _catalog(str(copy.folder))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "catalog/tenants/nordlys.yaml: spec.time_zone is 'CET+1': "
        "is not an IANA time zone: write one such as Europe/Oslo\n"
    )


def test_a_folder_that_holds_no_catalogue_is_told_without_traceback(copy: CatalogueCopy) -> None:
    done = _catalog(str(copy.folder / "nowhere"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nowhere/jobs.yaml: is missing" in done.stderr
