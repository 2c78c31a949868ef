"""The README's commands, in a checkout of their own, as a new user gives them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform import ROOT

pytestmark = pytest.mark.engine

_PARTS = ("catalog", "components", "local", "operations", "policies", "tools")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("checkout")
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(file, folder)
    try:
        yield folder
    finally:
        _run(folder, "clean")


def _run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _succeeds(checkout: Path, *arguments: str) -> str:
    done = _run(checkout, *arguments)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_an_interrupted_up_says_that_nothing_is_lost_and_the_next_one_completes_it(checkout: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "up"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "kubernetes:" in line and "created" in line:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
            break
    rest = process.stdout.read()
    assert process.wait(timeout=120) == 130
    assert "the same command goes on from here" in rest
    shown = _succeeds(checkout, "up")
    assert "stack local is up in 2 regions" in shown


def test_up_again_and_preview_show_no_change(checkout: Path) -> None:
    assert "unchanged\n" in _succeeds(checkout, "up")
    preview = _succeeds(checkout, "preview")
    assert "to create" not in preview
    assert "to update" not in preview


def test_a_job_runs_and_its_evidence_verifies(checkout: Path) -> None:
    for region in ("us-east-1", "eu-central-1"):
        shown = _succeeds(checkout, "job", "nightly-evidence", region)
        assert "nightly-pack/records/0000000001.dsse.json" in shown
    verified = _succeeds(checkout, "verify")
    assert verified.count("passed") == 12
    assert "Complete" in _succeeds(checkout, "status")


def test_evidence_is_still_there_after_the_emulator_was_killed(checkout: Path) -> None:
    record = json.loads((checkout / ".day2" / "run" / "aws-emulator.json").read_text())
    time.sleep(2)
    os.kill(record["pid"], signal.SIGKILL)
    assert _succeeds(checkout, "verify").count("passed") == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("job", "nightly-evidence", "mars-1"),
            "there is no region mars-1: known are us-east-1, eu-central-1",
        ),
        (("job", "nightly", "us-east-1"), "there is no job nightly in us-east-1: known are nightly-evidence"),
        (("render", "stagin", "out"), "Pulumi.stagin.yaml: no such stack file: did you mean 'staging'?"),
        (("render", "staging", "catalog"), "is not empty and was not written by render"),
        (("up", "--plugins", "offical"), "no such plugins: offical"),
    ],
)
def test_a_wrong_argument_gets_one_error(checkout: Path, arguments: tuple[str, ...], message: str) -> None:
    done = _run(checkout, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_two_commands_at_once_in_one_checkout_exclude_each_other(checkout: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "local", "preview"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert first.stdout
    first.stdout.readline()
    second = _run(checkout, "up")
    first.stdout.read()
    assert first.wait() == 0
    assert second.returncode == 1
    assert f"pid {first.pid}" in second.stderr


def test_down_and_clean_leave_neither_processes_nor_state(checkout: Path) -> None:
    shown = _succeeds(checkout, "down")
    assert "ended: " in shown
    assert "kube-apiserver" in shown
    _succeeds(checkout, "clean")
    assert not (checkout / ".day2").exists()
