"""What holds for the files of the project as a whole."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from local.recording import ROOT
from tests.contracts.support import tracked_files
from tools.programs import PROGRAMS

_MOST_LINES = 400
_HOST_PATHS = re.compile(
    rb"(?<![\w.}/*-])/(?:%s)(?:/|\b)" % b"|".join([b"ro" + b"ot", b"ho" + b"me/", b"wo" + b"rk/"])
)
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^\s;]+( ; .+)?")


def test_no_source_file_is_longer_than_400_lines() -> None:
    lines = {
        str(path): (ROOT / path).read_text(encoding="utf-8").count("\n")
        for path in tracked_files()
        if path.suffix == ".py"
    }
    assert {path: count for path, count in lines.items() if count > _MOST_LINES} == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {
        str(path): match.group().decode()
        for path in tracked_files()
        if (match := _HOST_PATHS.search((ROOT / path).read_bytes()))
    }
    assert found == {}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_hashed(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(requirements) > 20
    wrong = [line[:80] for line in requirements if not _is_pinned_and_hashed(line)]
    assert wrong == []


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_name_no_registry(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url\b|--find-links\b", text) == []


def test_development_requirements_pin_what_the_program_runs_with() -> None:
    program, development = (_pins(f) for f in ("requirements.txt", "requirements-dev.txt"))
    assert {name: v for name, v in program.items() if development.get(name) != v} == {}


def test_engine_and_sdk_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = next(d for d in project["dependencies"] if d.startswith("pulumi=="))
    go_mod = (ROOT / "tools/pulumi/go.mod").read_text(encoding="utf-8")
    engine = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", go_mod)
    assert engine is not None
    versions = {
        "pyproject.toml": pinned.removeprefix("pulumi=="),
        "requirements.txt": _pins("requirements.txt")["pulumi"],
        "installed": importlib.metadata.version("pulumi"),
        "tools/pulumi/go.mod": engine.group(1),
        "tools/programs.py": PROGRAMS["pulumi"].version.removeprefix("v"),
    }
    assert len(set(versions.values())) == 1, versions


def test_the_stack_files_hold_no_plain_secret() -> None:
    for path in ROOT.glob("Pulumi.*.yaml"):
        config = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
        assert {key for key, value in config.items() if isinstance(value, str)} == set()


def _is_pinned_and_hashed(line: str) -> bool:
    requirement, *hashes = re.split(r"\s+--hash=", line.strip())
    are_hashes = [bool(re.fullmatch(r"sha256:[0-9a-f]{64}", found)) for found in hashes]
    return bool(_REQUIREMENT.fullmatch(requirement)) and bool(hashes) and all(are_hashes)


def _pins(file: str) -> dict[str, str]:
    pins = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[\S+\])?==(\S+)", (ROOT / file).read_text(encoding="utf-8"))
    return dict(pins)


def test_every_runbook_that_an_alert_names_is_a_file() -> None:
    named = {job["runbook"] for job in yaml.safe_load((ROOT / "catalog/jobs.yaml").read_text()).values()}
    for path in Path(ROOT / "components").rglob("*.py"):
        named |= set(re.findall(r"docs/runbooks/[a-z0-9-]+\.md", path.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
