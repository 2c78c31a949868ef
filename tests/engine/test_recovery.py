from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from local import processes
from local.emulator.lifecycle import NAME as EMULATOR
from local.emulator.lifecycle import start_emulator
from local.engine import Engine
from local.errors import PlatformError
from local.platform import ROOT, EmbeddedPlatform
from tests.engine.support import aws_resources

pytestmark = pytest.mark.engine

_UNCHANGED = r"Resources:\n\s+\d+ unchanged\n"


@pytest.fixture(scope="module")
def engine(platform: EmbeddedPlatform) -> Engine:
    return platform.start()


def test_an_emulator_killed_half_way_through_an_up_costs_nothing(
    platform: EmbeddedPlatform, engine: Engine, regions: list[str]
) -> None:
    record = processes.find(platform.workspace, EMULATOR)
    assert record is not None

    def kill_once_a_bucket_exists() -> None:
        while not any(name.startswith("day2-test-evidence") for name in aws_resources(engine, regions)):
            time.sleep(0.2)
        os.kill(record.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_once_a_bucket_exists, daemon=True)
    killer.start()
    with pytest.raises(PlatformError) as failed:
        engine.up()
    killer.join(timeout=60)
    assert "make up" in failed.value.fix
    assert engine.resources(), "what was made before is lost from the state"
    again = platform.start()
    again.up()
    assert re.search(_UNCHANGED, again.up())


def test_a_killed_engine_leaves_a_stack_that_the_next_up_completes(
    platform: EmbeddedPlatform, engine: Engine
) -> None:
    platform.start().destroy()
    updating = threading.Thread(target=_up_that_fails, args=(engine,), daemon=True)
    updating.start()
    deadline = time.monotonic() + 60
    while not (made := [r for r in _state(engine) if r["type"].startswith("kubernetes:")]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    _kill_engine_of(platform)
    updating.join(timeout=60)
    assert made
    again = platform.start()
    again.up()
    assert re.search(_UNCHANGED, again.up())


def _up_that_fails(engine: Engine) -> None:
    with pytest.raises(PlatformError):
        engine.up()


def _state(engine: Engine) -> list[dict[str, str]]:
    """The state as it is on disk now; another engine process would wait for the stack's lock."""
    files = list((engine.workspace.pulumi / ".pulumi" / "stacks").rglob("test.json"))
    try:
        latest = json.loads(files[0].read_text())["checkpoint"]["latest"] or {}
    except (IndexError, ValueError, OSError):
        return []
    resources: list[dict[str, str]] = latest.get("resources") or []
    return resources


def _kill_engine_of(platform: EmbeddedPlatform) -> None:
    backend = f"file://{platform.workspace.pulumi}"
    for process in psutil.process_iter(["name", "pid"]):
        try:
            if process.name() == "pulumi" and process.environ().get("PULUMI_BACKEND_URL") == backend:
                process.kill()
        except psutil.Error:
            continue


def test_a_wrong_passphrase_is_one_clear_error_and_changes_nothing(
    platform: EmbeddedPlatform, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = platform.start().resources()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    with pytest.raises(PlatformError) as failed:
        engine.up()
    assert "PULUMI_CONFIG_PASSPHRASE" in failed.value.fix
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    assert engine.resources() == before


def test_a_typing_error_in_the_catalogue_names_file_key_and_fix_before_anything_is_registered(
    platform: EmbeddedPlatform, engine: Engine, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    shutil.copytree(platform.program, program, symlinks=True)
    (program / "catalog").unlink()
    shutil.copytree(ROOT / "catalog", program / "catalog")
    jobs = program / "catalog" / "jobs.yaml"
    jobs.write_text(jobs.read_text().replace("schedule:", "schedul:"))
    with pytest.raises(PlatformError) as failed:
        dataclasses.replace(engine, program=program).up()
    assert "catalog/jobs.yaml: nightly-evidence.schedul" in failed.value.what
    assert "did you mean 'schedule'?" in failed.value.what
    assert "Traceback" not in failed.value.what


def test_an_unreadable_kubeconfig_names_the_setting_and_the_fix(
    platform: EmbeddedPlatform, engine: Engine, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    shutil.copytree(platform.program, program, symlinks=True)
    stack_file = program / "Pulumi.test.yaml"
    kubeconfig = str(platform.workspace.kubeconfig("us-east-1"))
    stack_file.write_text(stack_file.read_text().replace(kubeconfig, str(tmp_path / "nowhere")))
    with pytest.raises(PlatformError) as failed:
        dataclasses.replace(engine, program=program).up()
    assert "Pulumi.test.yaml: day2:platform.regions.us-east-1.cluster.kubeconfig" in failed.value.what
    assert "no such file" in failed.value.what


def test_a_taken_port_of_the_emulator_is_named_with_its_holder(platform: EmbeddedPlatform) -> None:
    workspace = platform.workspace
    port = int(start_emulator(workspace).endpoint.rsplit(":", 1)[1])
    processes.stop(workspace, EMULATOR)
    holder = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1)
        with pytest.raises(PlatformError) as failed:
            platform.start()
        assert str(port) in failed.value.what
        assert str(holder.pid) in failed.value.what
    finally:
        holder.kill()
        holder.wait()
    platform.start()


def test_a_state_file_that_a_killed_engine_left_half_written_is_restored_from_its_backup(
    platform: EmbeddedPlatform, engine: Engine
) -> None:
    platform.start()
    (checkpoint,) = (engine.workspace.pulumi / ".pulumi" / "stacks").rglob("test.json")
    whole = engine.resources()
    checkpoint.write_text(checkpoint.read_text()[:1000])
    platform.start().up()
    assert {r["urn"] for r in engine.resources()} == {r["urn"] for r in whole}
