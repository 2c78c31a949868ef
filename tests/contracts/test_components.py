"""What all components have in common."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_type_hints

import pulumi
import pytest

from local.recording import Recording, Registration
from tests.contracts.support import (
    COMPONENTS,
    Component,
    component_modules,
    example_of,
    example_recording,
    registration_of,
    source_of,
    token_of,
)

# A token is part of every URN below it: a changed one replaces everything. Add new ones, change none.
TOKENS = {
    "EvidenceStore": "day2:evidence:EvidenceStore",
    "LockedBucket": "day2:evidence:LockedBucket",
    "OperationsJob": "day2:jobs:OperationsJob",
    "OperationsNamespace": "day2:namespace:OperationsNamespace",
    "Operators": "day2:operators:Operators",
    "Region": "day2:platform:Region",
    "SloRules": "day2:monitoring:SloRules",
}
_LABELS = {
    "app.kubernetes.io/part-of": "day2",
    "app.kubernetes.io/managed-by": "pulumi",
    "day2.dev/environment": "docs",
    "day2.dev/owner": "platform",
}
_TAGS = {"day2:environment": "docs", "day2:owner": "platform", "day2:region": "eu-central-1"}

each_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)


def test_the_type_tokens_are_the_canonical_ones() -> None:
    assert {component.__name__: token_of(component) for component in COMPONENTS} == TOKENS


def test_type_tokens_are_unique() -> None:
    assert len(set(TOKENS.values())) == len(TOKENS)


@each_component
def test_the_type_token_is_a_literal_of_project_area_and_class(component: Component) -> None:
    assert re.fullmatch(rf"day2:[a-z]+:{component.__name__}", token_of(component) or "")


@each_component
def test_the_constructor_takes_name_args_and_opts(component: Component) -> None:
    parameters = list(inspect.signature(component).parameters.values())
    assert [parameter.name for parameter in parameters] == ["name", "args", "opts"]
    assert [p.default for p in parameters] == [inspect.Parameter.empty, inspect.Parameter.empty, None]


@each_component
def test_the_args_are_a_frozen_dataclass_with_keywords_only(component: Component) -> None:
    args = get_type_hints(component.__init__, vars(importlib.import_module(component.__module__)))["args"]
    assert args.__name__ == f"{component.__name__}Args"
    assert args.__module__ == component.__module__
    assert dataclasses.is_dataclass(args)
    assert vars(args)["__dataclass_params__"].frozen
    assert all(field.kw_only for field in dataclasses.fields(args))


@each_component
def test_the_example_registers_the_component_and_a_child(component: Component) -> None:
    assert example_of(component), f"the docstring of {component.__name__} has no `Example:` with >>>"
    recording = example_recording(component)
    own = registration_of(component, recording)
    assert any(found.parent == own.urn for found in recording.registrations)


@each_component
def test_only_the_component_stands_at_the_root(component: Component) -> None:
    recording = example_recording(component)
    own = registration_of(component, recording)
    outside = [
        found.name
        for found in recording.registrations
        if found != own and own not in recording.ancestors(found) and not _is_provider(found)
    ]
    assert outside == []


@each_component
def test_the_names_of_children_start_with_their_components_name(component: Component) -> None:
    recording = example_recording(component)
    own = registration_of(component, recording)
    by_urn = {found.urn: found for found in recording.registrations}
    foreign = [
        found.name
        for found in _children(recording, own)
        if not found.name.startswith(f"{by_urn[found.parent].name}-")
    ]
    assert foreign == []


@each_component
def test_the_registered_outputs_are_the_annotated_ones(component: Component) -> None:
    recording = example_recording(component)
    registered = recording.outputs.get(registration_of(component, recording).urn)
    annotated = {
        name
        for name, annotation in inspect.get_annotations(component).items()
        if str(annotation).startswith("pulumi.Output")
    }
    assert registered is not None, "register_outputs was not called"
    assert set(registered) == annotated


@each_component
def test_every_annotation_of_a_component_has_a_docstring(component: Component) -> None:
    body = source_of(component).body
    undocumented = [
        name
        for statement, following in pairwise(body)
        if (name := getattr(getattr(statement, "target", None), "id", None))
        and not isinstance(getattr(getattr(following, "value", None), "value", None), str)
    ]
    assert undocumented == []


@each_component
def test_every_aws_resource_that_takes_tags_carries_them(component: Component) -> None:
    recording = example_recording(component)
    for found in _children(recording, registration_of(component, recording)):
        if found.type.startswith("aws:") and _takes_tags(found.type):
            tags = found.inputs.get("tags", {})
            assert tags.items() >= _TAGS.items(), f"{found.name} lacks tags"
            assert tags["day2:component"]


@each_component
def test_every_kubernetes_object_carries_the_labels(component: Component) -> None:
    recording = example_recording(component)
    for found in _children(recording, registration_of(component, recording)):
        if found.type.startswith("kubernetes:") and "metadata" in found.inputs:
            labels = found.inputs["metadata"].get("labels", {})
            assert labels.items() >= _LABELS.items(), f"{found.name} lacks labels"
            assert labels["app.kubernetes.io/component"]


@each_component
def test_a_component_makes_no_provider(component: Component) -> None:
    recording = example_recording(component)
    own = registration_of(component, recording)
    assert [found.name for found in _children(recording, own) if _is_provider(found)] == []


@each_component
def test_the_callers_options_go_to_the_component_and_no_further(component: Component) -> None:
    constructor = next(
        node
        for node in source_of(component).body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    uses = [
        node
        for node in ast.walk(constructor)
        if isinstance(node, ast.Name) and node.id == "opts" and isinstance(node.ctx, ast.Load)
    ]
    assert len(uses) == 1
    (first, *_) = (node for node in constructor.body if isinstance(node, ast.Expr))
    assert "opts" in ast.unparse(first)
    assert ast.unparse(first).startswith("super().__init__(")


def test_every_public_class_and_function_of_the_components_has_a_docstring() -> None:
    assert [name for name, item in _public_items() if not (item.__doc__ or "").strip()] == []


def test_every_module_of_the_components_has_a_docstring() -> None:
    modules = [importlib.import_module(name) for name in component_modules()]
    assert [module.__name__ for module in modules if not module.__doc__] == []


def _public_items() -> Iterator[tuple[str, Any]]:
    for module_name in component_modules():
        module = importlib.import_module(module_name)
        for name, item in vars(module).items():
            if name.startswith("_") or getattr(item, "__module__", None) != module_name:
                continue
            if inspect.isclass(item) or inspect.isfunction(item):
                yield f"{module_name}.{name}", item


def _children(recording: Recording, own: Registration) -> list[Registration]:
    return [found for found in recording.registrations if own in recording.ancestors(found)]


def _is_provider(registration: Registration) -> bool:
    return registration.type.startswith("pulumi:providers:")


def _takes_tags(token: str) -> bool:
    """Whether pulumi-aws gives the resource of a token, such as `aws:s3/bucket:Bucket`, a `tags` property."""
    _, module, name = token.split(":")
    resource = getattr(importlib.import_module(f"pulumi_aws.{module.split('/')[0]}"), name)
    assert issubclass(resource, pulumi.CustomResource)
    return "tags" in resource.__dict__
