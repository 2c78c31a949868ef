"""How figures are told."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spread:
    """Smallest, median and largest of some times, in seconds."""

    least: float
    median: float
    most: float

    def __str__(self) -> str:
        return f"{self.least:.2f} / {self.median:.2f} / {self.most:.2f} s"


def spread(seconds: Sequence[float]) -> Spread:
    """Smallest, median and largest of some times, in seconds."""
    return Spread(min(seconds), statistics.median(seconds), max(seconds))


def told(line: str) -> None:
    """Prints a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 figures are printed


def load() -> str:
    """What else the machine is doing."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def machine() -> str:
    """The machine and its Python, in a line."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, {system}, Python {platform.python_version()}"
