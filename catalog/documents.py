"""Reads YAML strictly: a key that stands twice or a date that does not exist is an error."""

from __future__ import annotations

from typing import IO, Any

import yaml
from yaml.constructor import ConstructorError

# libyaml where PyYAML has it: ten times as fast, and the program reads a dozen files at every start.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Base):  # type: ignore[misc]  # one of two classes, chosen at run time
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 the signature is PyYAML's
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice", key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _timestamp(loader: Any, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as error:
        raise ConstructorError(None, None, f"{node.value} is no date: {error}", node.start_mark) from None


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


def read_documents(stream: IO[bytes]) -> list[Any]:
    """YAML documents of a stream, without empty ones.

    Raises:
        yaml.YAMLError: It is not YAML, a key stands twice in a mapping, or a date does not exist.
    """
    return [found for found in yaml.load_all(stream, Loader=_StrictLoader) if found is not None]


def fault(error: yaml.YAMLError) -> str:
    """What is wrong and where, in one line."""
    mark = getattr(error, "problem_mark", None)
    line = f" in line {mark.line + 1}" if mark else ""
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be parsed"
    return f"is not YAML{line}: {reason}"
