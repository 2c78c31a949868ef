"""`python -m tests.golden`: writes the golden files anew; review what changed before you commit it."""

from __future__ import annotations

from local.render import render
from tests.golden.support import GOLDEN, golden_recording

if __name__ == "__main__":
    files = render(golden_recording(), GOLDEN)
    print(f"{len(files)} files written to {GOLDEN}: review `git diff` before you commit them")  # noqa: T201 a program
