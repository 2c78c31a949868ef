"""Runs promtool's rule tests, many in one run, and tells what became of each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tools.install import ensure

PROCESSES = 2

Group = Mapping[str, Any]
Test = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TestFile:
    """A test file of promtool and the rules that it tests.

    Attributes:
        name: Unique name, of letters, digits and "-".
        groups: The rule groups.
        tick_seconds: How often the rules are evaluated.
        tests: Tests with unique names.
    """

    __test__ = False  # no test of pytest's

    name: str
    groups: Sequence[Group]
    tick_seconds: int
    tests: list[Test] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Writes rules and tests as JSON, which is YAML that is quick to write."""
        rules = folder / f"{self.name}.rules.yaml"
        rules.write_text(json.dumps({"groups": self.groups}), encoding="utf-8")
        path = folder / f"{self.name}.test.yaml"
        content = {
            "rule_files": [rules.name],
            "evaluation_interval": f"{self.tick_seconds}s",
            "tests": self.tests,
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


def outcomes(files: Sequence[TestFile], folder: Path) -> dict[str, str]:
    """Runs all tests.

    Args:
        files: What to run.
        folder: Where the files are written.

    Returns:
        For each test's name what promtool says against it, empty for a test that passed.
    """
    program = ensure("promtool")
    paths = [file.write(folder) for file in files]
    # The most expensive files first, dealt out in turns: the processes end about together.
    by_cost = sorted(paths, key=lambda path: path.stat().st_size, reverse=True)
    shares = [share for number in range(PROCESSES) if (share := by_cost[number::PROCESSES])]

    def run(number: int) -> dict[str, str]:
        report = folder / f"report-{number}.xml"
        command = [str(program), "test", "rules", f"--junit={report}", *map(str, shares[number])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return _read(report, done.stdout + done.stderr)

    found: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=PROCESSES) as pool:
        for outcome in pool.map(run, range(len(shares))):
            found |= outcome
    return found


def check_rules(groups: Sequence[Group], folder: Path) -> str:
    """What `promtool check rules` says against the rules, linting on; empty for nothing."""
    path = folder / "check.rules.yaml"
    path.write_text(json.dumps({"groups": groups}), encoding="utf-8")
    command = [str(ensure("promtool")), "check", "rules", "--lint=all", "--lint-fatal", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _read(report: Path, output: str) -> dict[str, str]:
    found = {}
    for case in ET.fromstring(report.read_text(encoding="utf-8")).iter("testcase"):  # noqa: S314 promtool wrote it
        said = [element.text or "error" for element in case]
        found[case.get("name", "")] = "\n".join(said)
    if "unknown" in found or not found:
        raise AssertionError(f"promtool could not read the tests:\n{output}")
    return found
