"""Finds the components and runs the examples of their docstrings."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pulumi

import components
from local.recording import ROOT, Recording, Registration, record

Component = type[pulumi.ComponentResource]


def component_modules() -> list[str]:
    """Names of all modules of `components`, imported."""
    found = [module.name for module in pkgutil.walk_packages(components.__path__, "components.")]
    for name in found:
        importlib.import_module(name)
    return ["components", *found]


def all_components() -> list[Component]:
    """Every component of `components`, by name."""
    modules = set(component_modules())
    found, left = set(), [pulumi.ComponentResource]
    while left:
        for component in left.pop().__subclasses__():
            left.append(component)
            if component.__module__ in modules:
                found.add(component)
    return sorted(found, key=lambda component: component.__name__)


COMPONENTS = all_components()


def source_of(component: Component) -> ast.ClassDef:
    """A component's class statement."""
    tree = ast.parse(Path(inspect.getfile(component)).read_text(encoding="utf-8"))
    return next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == component.__name__)


def token_of(component: Component) -> str | None:
    """The literal that a component gives as its type; None where it gives something else."""
    for call in (node for node in ast.walk(source_of(component)) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) == "super().__init__" and call.args:
            first = call.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None


def example_of(component: Component) -> str:
    """Source of the `>>>` examples in a component's docstring."""
    docstring = inspect.getdoc(component) or ""
    _, _, example = docstring.partition("Example:")
    return "".join(part.source for part in doctest.DocTestParser().get_examples(example))


_RECORDINGS: dict[str, Recording] = {}


def example_recording(component: Component) -> Recording:
    """What the example of a component's docstring registers."""
    if component.__name__ not in _RECORDINGS:
        _RECORDINGS[component.__name__] = _run_example(component)
    return _RECORDINGS[component.__name__]


def _run_example(component: Component) -> Recording:
    names = dict(vars(sys.modules[component.__module__]))
    source = compile(example_of(component), f"{component.__name__}'s example", "exec")
    return record(lambda: exec(source, names))  # noqa: S102 the source is our own docstring


def registration_of(component: Component, recording: Recording) -> Registration:
    """The component itself in a recording that holds it once."""
    (found,) = recording.of_type(token_of(component) or "")
    return found


def tracked_files() -> list[Path]:
    """Files under version control or about to be, relative to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()})
