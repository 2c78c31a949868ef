"""Random values in the formats of the official provider."""

import base64
import string

import pytest

from local.plugins.provider import Resource
from local.plugins.random import SPECIAL, RandomBackend, random_id, random_string


def test_an_id_has_four_notations_of_the_same_bytes() -> None:
    identifier, made = random_id({"byteLength": 5, "prefix": "p-"})
    raw = bytes.fromhex(made["hex"].removeprefix("p-"))
    assert len(raw) == 5
    assert made["dec"] == f"p-{int.from_bytes(raw)}"
    assert made["b64Std"] == "p-" + base64.b64encode(raw).decode()
    assert made["b64Url"] == f"p-{identifier}"
    assert "=" not in identifier


@pytest.mark.parametrize(
    ("inputs", "alphabet"),
    [
        ({"length": 40}, string.ascii_letters + string.digits + SPECIAL),
        ({"length": 40, "special": False, "upper": False}, string.ascii_lowercase + string.digits),
        ({"length": 40, "overrideSpecial": "_", "lower": False, "upper": False, "numeric": False}, "_"),
    ],
)
def test_a_string_keeps_to_its_length_and_alphabet(inputs: dict[str, object], alphabet: str) -> None:
    _, made = random_string(inputs)
    assert len(made["result"]) == 40
    assert set(made["result"]) <= set(alphabet)


def test_minimums_are_met() -> None:
    _, made = random_string({"length": 6, "minUpper": 2, "minNumeric": 2, "minSpecial": 2})
    assert sum(character in string.ascii_uppercase for character in made["result"]) == 2
    assert sum(character in string.digits for character in made["result"]) == 2


def test_every_change_replaces_and_a_length_that_cannot_be_is_refused() -> None:
    password = Resource("urn", "random:index/randomPassword:RandomPassword", "password")
    backend = RandomBackend()
    assert backend.diff(password, {"keepers": {"a": "1"}}, {"keepers": {"a": "2"}}).replaces == {"keepers.a"}
    _, failures = backend.check(password, {}, {"length": 2, "minUpper": 3}, b"")
    assert failures[0].reason == "length is 2; it must be a whole number of at least 3"
