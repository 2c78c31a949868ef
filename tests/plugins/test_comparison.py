"""Differences between property bags, and inputs that follow a live object."""

from typing import Any

import pytest

from local.plugins.comparison import differences, drifted_inputs
from local.plugins.properties import UNKNOWN, from_struct, secret, to_struct


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a.b": "UPDATE"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "DELETE"}),
        ({"a": [1]}, {"a": [1, {"b": 2}]}, {"a[1]": "ADD"}),
        ({"a": {"x.y/z": 1}}, {"a": {}}, {'a["x.y/z"]': "DELETE"}),
        ({"a": 1}, {"a": True}, {"a": "UPDATE"}),
        ({"a": UNKNOWN}, {"a": UNKNOWN}, {"a": "UPDATE"}),
    ],
)
def test_each_differing_leaf_is_named_in_the_notation_of_the_engine(
    old: Any, new: Any, expected: dict[str, str]
) -> None:
    assert {str(item): item.kind for item in differences(old, new)} == expected


@pytest.mark.parametrize(
    ("inputs", "recorded", "live", "expected"),
    [
        # The server's spelling of an unchanged value is no drift.
        ({"cpu": "0.5"}, {"cpu": "500m"}, {"cpu": "500m"}, {"cpu": "0.5"}),
        # An empty list that the server drops, and a default that it adds, are none either.
        ({"list": []}, {"extra": 1}, {"extra": 2}, {"list": []}),
        # What changed takes the live value, what was removed disappears.
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 3}, {"a": 3}),
        # Items with a name are matched by it, whatever order the server gives them.
        (
            {"c": [{"name": "x", "v": 1}, {"name": "y", "v": 2}]},
            {"c": [{"name": "x", "v": 1, "d": 0}, {"name": "y", "v": 2, "d": 0}]},
            {"c": [{"name": "y", "v": 9, "d": 0}, {"name": "x", "v": 1, "d": 0}, {"name": "z"}]},
            {"c": [{"name": "x", "v": 1}, {"name": "y", "v": 9}, {"name": "z"}]},
        ),
        # An item that admission had added when the object was made is none of ours.
        (
            {"c": [{"name": "x"}]},
            {"c": [{"name": "x"}, {"name": "sidecar", "v": 1}]},
            {"c": [{"name": "x"}, {"name": "sidecar", "v": 2}]},
            {"c": [{"name": "x"}]},
        ),
        ({"l": ["a", "b"]}, {"l": ["a", "b"]}, {"l": ["a", "b", "c"]}, {"l": ["a", "b", "c"]}),
    ],
)
def test_inputs_follow_the_live_object_only_where_it_changed(
    inputs: Any, recorded: Any, live: Any, expected: Any
) -> None:
    assert drifted_inputs(inputs, recorded, live) == expected


def test_properties_survive_the_way_to_the_engine_and_back() -> None:
    bag: dict[str, Any] = {"n": 3, "f": 1.5, "b": False, "none": None, "l": [1, {"k": []}], "empty": {}}
    assert from_struct(to_struct(bag)) == bag
    assert from_struct(to_struct({"s": secret("hunter2")})) == {"s": "hunter2"}


def test_every_kind_of_unknown_is_the_same_unknown() -> None:
    unknown_number = "3eeb2bf0-c639-47a8-9e75-3b44932eb421"
    assert from_struct(to_struct({"n": unknown_number})) == {"n": UNKNOWN}
