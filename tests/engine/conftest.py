from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform import EmbeddedPlatform
from local.workspace import Workspace
from tests.engine.support import issuer, write_program

REGIONS = ["us-east-1", "eu-central-1"]


@pytest.fixture(scope="module")
def regions() -> list[str]:
    return list(REGIONS)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, regions: list[str]) -> Iterator[EmbeddedPlatform]:
    """A platform of its own: its processes end with the module, whatever happened."""
    folder: Path = tmp_path_factory.mktemp("platform")
    workspace = Workspace(folder / "workspace")
    workspace.create()
    embedded = EmbeddedPlatform(
        workspace=workspace,
        issuers={region: issuer(region) for region in regions},
        stack="test",
        program=write_program(folder / "program", workspace, regions),
        quiet=True,
    )
    try:
        yield embedded
    finally:
        embedded.stop()
