"""Which day2 runs."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

_PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


def day2_version() -> str:
    """Version of the installed package, else of the checkout that runs, else `unknown`."""
    try:
        return metadata.version("day2")
    except metadata.PackageNotFoundError:
        pass
    try:
        return str(tomllib.loads(_PROJECT_FILE.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"
