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
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOGUE_FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return CatalogueCopy(folder)
