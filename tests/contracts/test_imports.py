"""Who may import whom, and what only one place may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.recording import ROOT
from tests.contracts.support import COMPONENTS, source_of, tracked_files

MAY_IMPORT = {
    "__main__.py": {"catalog", "components"},
    "catalog": {"catalog"},
    "components": {"catalog", "components"},
    "operations": {"catalog", "operations"},
    "policies": {"catalog", "policies"},
    "tools": {"tools"},
    "local": {"catalog", "components", "operations", "tools", "local"},
    "tests": {"catalog", "components", "operations", "policies", "tools", "local", "tests"},
}
OURS = {name for name in MAY_IMPORT if not name.endswith(".py")}
WITHOUT_PULUMI = ("catalog", "operations", "tools")

# Where what a component must not do is done instead.
ONLY_IN = {
    "pulumi.Config": "components/config.py",
    "pulumi.get_stack": "components/config.py",
    "pulumi.export": "components/platform.py",
    "aws.Provider": "components/region.py",
    "k8s.Provider": "components/region.py",
}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield node.module or ""


def _files_of(package: str) -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py" and path.parts[0] == package]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = _files_of(package)
    assert files
    foreign = [
        f"{path}: {name}"
        for path in files
        for name in _imports(_tree(path))
        if name.split(".")[0] in OURS - MAY_IMPORT[package]
    ]
    assert foreign == []


@pytest.mark.parametrize("package", WITHOUT_PULUMI)
def test_what_runs_without_pulumi_does_not_import_it(package: str) -> None:
    foreign = [
        f"{path}: {name}"
        for path in _files_of(package)
        for name in _imports(_tree(path))
        if name.split(".")[0].startswith("pulumi")
    ]
    assert foreign == []


@pytest.mark.parametrize("name", ONLY_IN)
def test_what_components_must_not_do_is_done_in_one_place(name: str) -> None:
    users = {
        str(path)
        for path in [*_files_of("components"), Path("__main__.py")]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    }
    assert users == {ONLY_IN[name]}


def test_only_region_looks_anything_up() -> None:
    users = {
        str(path)
        for path in _files_of("components")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and _is_invoke(ast.unparse(node.func))
    }
    assert users == {"components/region.py"}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_no_component_reads_config_makes_providers_looks_up_or_exports(component: type) -> None:
    called = [ast.unparse(n.func) for n in ast.walk(source_of(component)) if isinstance(n, ast.Call)]
    assert [name for name in called if name in ONLY_IN or _is_invoke(name)] == []


def _is_invoke(function: str) -> bool:
    module, _, name = function.rpartition(".")
    is_provider_package = module.split(".")[0] in ("aws", "k8s", "random")
    return function == "pulumi.runtime.invoke" or (is_provider_package and name.startswith(("get_", "list_")))


@pytest.mark.parametrize("package", ["__main__.py", "catalog", "components", "operations", "policies"])
def test_no_code_branches_on_the_name_of_an_environment(package: str) -> None:
    environments = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    assert environments >= {"local", "staging", "prod"}
    names = environments | {"production", "development", "dev", "test"}
    branches = [
        f"{path}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for path in _files_of(package)
        for node in ast.walk(_tree(path))
        if _branches_on_environment(node, names)
    ]
    assert branches == []


def _branches_on_environment(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Constant) and node.value in names:
        return True
    if isinstance(node, ast.Compare):
        return any(_is_environment(operand) for operand in (node.left, *node.comparators))
    if isinstance(node, ast.Match):
        return _is_environment(node.subject)
    if isinstance(node, ast.Subscript):
        return _is_environment(node.slice)
    return isinstance(node, ast.Attribute) and node.attr == "startswith" and _is_environment(node.value)


def _is_environment(node: ast.expr) -> bool:
    return ast.unparse(node).endswith((".environment", "get_stack()")) or ast.unparse(node) == "environment"


def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))
