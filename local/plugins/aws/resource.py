"""One entry of the table of AWS resource types: which boto3 calls make, read, change and delete it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.plugins.aws.session import Session
from local.plugins.properties import Properties


@dataclass(frozen=True)
class ResourceType:
    """How the stand-in handles one resource type. Property names are those of the Pulumi SDK, in camelCase.

    Attributes:
        inputs: Every input it takes. Another one is refused, so that nothing is silently ignored.
        create: Makes the resource from its inputs and returns its id. What has a name and exists already is
            adopted and brought to the inputs: an update that was killed may have made it.
        read: The outputs of the live resource, by id (and inputs, for what the id lacks); None if it is gone.
        update: Brings the resource with this id from old to new inputs; None if every change replaces it.
        delete: Deletes it, given its id and last outputs; what is gone already is a success.
        replace_on: The inputs that cannot change in place. ``region`` always is one.
        identity: The inputs that its id is made of: a replacement with the same ones has to delete first.
        name: The input that names it physically. If it is left out, it becomes the resource's name and 7
            hexadecimal digits, as the official plugin has it.
        name_prefix: What a generated name starts with.
        computed: The outputs that a preview of its creation cannot know.
        settings: The inputs that AWS does not store (``forceDestroy``); they cannot drift.
        json: The inputs that are JSON documents, compared by meaning.
        tagged: Whether it has ``tags``, to which the provider's default tags are added.
        regional: Whether it lives in a region, and takes one as an input.
    """

    inputs: frozenset[str]
    create: Callable[[Session, Properties], str]
    read: Callable[[Session, str, Properties], Properties | None]
    delete: Callable[[Session, str, Properties], None]
    update: Callable[[Session, str, Properties, Properties], None] | None = None
    replace_on: frozenset[str] = frozenset()
    identity: frozenset[str] = frozenset()
    name: str = ""
    name_prefix: str = ""
    computed: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    json: frozenset[str] = frozenset()
    tagged: bool = False
    regional: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> frozenset[str]:
        """Every input, with those that follow from the flags."""
        return (
            self.inputs
            | ({"tags", "tagsAll"} if self.tagged else set())
            | ({"region"} if self.regional else set())
            | ({self.name, f"{self.name}Prefix"} if self.name else set())
        )

    @property
    def replacing(self) -> frozenset[str]:
        """Every input whose change replaces the resource."""
        return (
            self.replace_on
            | ({"region"} if self.regional else set())
            | ({self.name, f"{self.name}Prefix"} if self.name else set())
        )


def canonical_json(text: Any) -> Any:
    """A policy document in one spelling: sorted, no blanks, lists of one item as the item."""
    if not isinstance(text, str):
        return text
    try:
        return json.dumps(_folded(json.loads(text)), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _folded(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_folded(item) for item in value]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value


def tag_list(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most AWS calls want them."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def tag_map(tags: list[Any], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as Pulumi has them."""
    return {item[key]: item[value] for item in tags}
