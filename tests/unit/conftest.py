"""The shipped catalogue, and a small one that a test may break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.load import Catalogue, load_catalogue
from tests.unit.support import CatalogueCopy

_SMALL_CATALOGUE = Path(__file__).parent / "data" / "catalog"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def copy(tmp_path: Path) -> CatalogueCopy:
    """A catalogue of two services, two tenants and a job, which what is shipped may grow away from."""
    folder = tmp_path / "catalog"
    shutil.copytree(_SMALL_CATALOGUE, folder)
    return CatalogueCopy(folder)
