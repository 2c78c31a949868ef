"""How long the control planes of two regions take until they are ready."""

from __future__ import annotations

from pathlib import Path

from local import processes
from local.control_plane.lifecycle import start_control_planes
from local.workspace import Workspace
from tests.bench.figures import load, spread, told
from tests.bench.programs import REGIONS, issuer

RUNS = 3
TARGET_SECONDS = 10


def measure(folder: Path) -> None:
    """Prints the seconds of both regions at once: with nothing there, and started again with their data.

    Args:
        folder: Where workspaces go.
    """
    regions = list(REGIONS)[:2]
    cold: list[float] = []
    again: list[float] = []
    for number in range(RUNS):
        workspace = Workspace(folder / f"control-planes-{number}")
        workspace.create()
        try:
            for times in (cold, again):
                report = start_control_planes(workspace, regions, {name: issuer(name) for name in regions})
                report.raise_for_failures()
                times.append(max(plane.seconds for plane in report.ready.values()))
                processes.stop_all(workspace)
        finally:
            processes.stop_all(workspace)
    told(f"control planes of {len(regions)} regions ready, {RUNS} runs, target {TARGET_SECONDS} s ({load()})")
    told(f"  new      {spread(cold)}")
    told(f"  restart  {spread(again)}")
