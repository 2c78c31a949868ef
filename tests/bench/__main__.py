"""Prints the figures; a figure that misses its target is shown, and fails nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import control_planes, growth, program_start
from tests.bench.figures import machine, told

MEASUREMENTS: dict[str, Callable[[Path], None]] = {
    "start": program_start.measure,
    "growth": growth.measure,
    "control-planes": control_planes.measure,
    "preview": growth.measure_preview,
}


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MEASUREMENTS)}; all.")] = None,
) -> None:
    """Measures and prints."""
    unknown = sorted(set(names or ()) - MEASUREMENTS.keys())
    if unknown:
        raise typer.BadParameter(f"no such measurement: {', '.join(unknown)}; of {', '.join(MEASUREMENTS)}")
    told(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    for name in names or MEASUREMENTS:
        with tempfile.TemporaryDirectory(prefix=f"day2-bench-{name}-") as folder:
            MEASUREMENTS[name](Path(folder))


if __name__ == "__main__":
    typer.run(main)
