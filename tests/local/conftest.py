"""Workspaces whose processes end with the tests, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local import processes
from local.control_plane.lifecycle import StartReport, start_control_planes
from local.emulator.client import enforce_iam
from local.emulator.lifecycle import Emulator, start_emulator
from local.workspace import Workspace

REGIONS = ("us-east-1", "eu-central-1")


def temporary_workspace(folder: Path) -> Iterator[Workspace]:
    workspace = Workspace(folder)
    workspace.create()
    watcher = processes.end_with(workspace, os.getpid())
    try:
        yield workspace
    finally:
        processes.stop_all(workspace)
        watcher.terminate()
        watcher.wait()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of the test's own."""
    yield from temporary_workspace(tmp_path / "day2")


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that the tests of one file share."""
    yield from temporary_workspace(tmp_path_factory.mktemp("shared") / "day2")


@pytest.fixture(scope="module")
def control_planes(shared_workspace: Workspace) -> StartReport:
    """The control planes of two regions, freshly started."""
    return start_control_planes(shared_workspace, REGIONS)


@pytest.fixture
def own_emulator(workspace: Workspace) -> Emulator:
    """An emulator of the test's own, to stop or kill."""
    return start_emulator(workspace)


@pytest.fixture
def emulator(shared_workspace: Workspace) -> Emulator:
    """The emulator that the tests of one file share, empty and with enforcement off."""
    shared = start_emulator(shared_workspace)
    httpx.post(f"{shared.endpoint}/moto-api/reset").raise_for_status()
    enforce_iam(shared.endpoint, on=False)
    return shared
