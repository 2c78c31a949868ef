"""The rendering of a stack is the one that was reviewed."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from local.render import render
from tests.golden.support import GOLDEN, golden_recording

_WHAT_TO_DO = "run `make golden`, review its diff, and commit it with the change"


def _texts(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("golden") / "rendered"
    render(golden_recording(), out)
    return _texts(out)


def test_the_rendering_has_the_files_of_the_golden_one(rendered: dict[str, str]) -> None:
    golden = _texts(GOLDEN)
    added, removed = sorted(rendered.keys() - golden.keys()), sorted(golden.keys() - rendered.keys())
    assert (added, removed) == ([], []), f"files were added {added} or removed {removed}: {_WHAT_TO_DO}"


def test_the_rendering_has_the_contents_of_the_golden_one(rendered: dict[str, str]) -> None:
    golden = _texts(GOLDEN)
    changed = [name for name in sorted(rendered.keys() & golden.keys()) if rendered[name] != golden[name]]
    diff = [
        line
        for name in changed
        for line in difflib.unified_diff(
            golden[name].splitlines(), rendered[name].splitlines(), f"golden/{name}", name, lineterm="", n=1
        )
    ]
    assert changed == [], "\n".join([f"{len(changed)} files changed: {_WHAT_TO_DO}", *diff[:80]])
