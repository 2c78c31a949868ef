"""A copy of the shipped catalogue that a test may break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.load import CATALOGUE_FOLDER, Catalogue, load_catalogue
from tests.unit.support import CatalogueCopy


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def copy(tmp_path: Path) -> CatalogueCopy:
    """The shipped catalogue with two of its services: each test loads it, and two are quicker than all."""
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOGUE_FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path in (folder / "services").glob("*.yaml"):
        if path.stem not in ("reporting", "platform"):
            path.unlink()
    return CatalogueCopy(folder)
