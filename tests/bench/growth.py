"""How the program's time grows with services and regions: alone, and in the real engine's preview."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from local import processes
from local.crds import write_crds
from local.platform import EmbeddedPlatform
from local.workspace import Workspace
from tests.bench.figures import load, told
from tests.bench.program_start import write_kubeconfig
from tests.bench.programs import REGIONS, STACK, issuer, write_platform
from tests.bench.running import run

SIZES = ((7, 2), (25, 2), (50, 2), (100, 1), (100, 2), (100, 4))
PREVIEWED = ((7, 2), (100, 2), (100, 4))
RUNS = 3


def measure(folder: Path) -> None:
    """Prints the program's times; each is the least of some runs, which other work disturbs least.

    Args:
        folder: Where programs go.
    """
    crds = folder / "crds"
    crds.mkdir(parents=True, exist_ok=True)
    write_crds(crds)
    kubeconfig = write_kubeconfig(folder)
    counts, times = [], []
    told(f"program start to last registration by size, least of {RUNS} runs ({load()})")
    for services, regions in SIZES:
        program = folder / f"{services}x{regions}"
        clusters = dict.fromkeys(list(REGIONS)[:regions], kubeconfig)
        settings = write_platform(program, services=services, kubeconfigs=clusters, crds=crds)
        runs = [run(program, settings) for _ in range(RUNS)]
        count, seconds = len(runs[0].log.resources), min(one.seconds for one in runs)
        counts.append(float(count))
        times.append(seconds)
        cpu = min(one.cpu_seconds for one in runs)
        told(
            f"  {services:>3} services x {regions} regions: {count:>5} resources {seconds:6.2f} s, "
            f"CPU {cpu:6.2f} s, {1_000 * seconds / count:5.2f} ms a resource"
        )
    slope, intercept = statistics.linear_regression(counts, times)
    fit = statistics.correlation(counts, times) ** 2
    told(f"  line: {intercept:.2f} s + {1_000 * slope:.2f} ms a resource, R2 {fit:.4f}")


def measure_preview(folder: Path) -> None:
    """Prints the times of `pulumi preview`, policy packs on, against two control planes and the emulator.

    Where there are more regions than control planes, two regions share one: none of their names meet.

    Args:
        folder: Where programs and the workspace go.
    """
    workspace = Workspace(folder / "workspace")
    workspace.create()
    planes = list(REGIONS)[:2]
    try:
        for services, regions in PREVIEWED:
            program = folder / f"preview-{services}x{regions}"
            names = list(REGIONS)[:regions]
            clusters = {
                region: workspace.kubeconfig(planes[at % len(planes)]) for at, region in enumerate(names)
            }
            write_platform(program, services=services, kubeconfigs=clusters, crds=workspace.crds)
            platform = EmbeddedPlatform(
                workspace=workspace,
                issuers={plane: issuer(plane) for plane in planes},
                stack=STACK,
                program=program,
                quiet=True,
                say=lambda _: None,
            )
            engine = platform.start()
            began = time.monotonic()
            output = engine.preview()
            seconds = time.monotonic() - began
            count = next(
                int(line.split()[1])
                for line in output.splitlines()
                if line.strip().startswith("+ ") and line.strip().endswith("to create")
            )
            told(
                f"preview of {services:>3} services x {regions} regions: {count:>5} resources "
                f"{seconds:6.1f} s, {1_000 * seconds / count:5.1f} ms a resource ({load()})"
            )
    finally:
        processes.stop_all(workspace)
