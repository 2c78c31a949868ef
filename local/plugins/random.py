"""The stand-in for pulumi-resource-random: ids, passwords and strings in the official formats."""

import base64
import secrets
import string
from collections.abc import Callable
from typing import Any

from local.plugins.comparison import differences
from local.plugins.properties import UNKNOWN, Properties, secret
from local.plugins.provider import Backend, CheckFailure, Diff, Found, ProviderError, Resource, run

# The alphabet of special characters of hashicorp/terraform-provider-random, which the official plugin wraps.
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = (  # switch, minimum, alphabet
    ("lower", "minLower", string.ascii_lowercase),
    ("upper", "minUpper", string.ascii_uppercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", SPECIAL),
)


def random_id(inputs: Properties) -> tuple[str, Properties]:
    """``byteLength`` random bytes in four notations, each after ``prefix``."""
    raw = secrets.token_bytes(inputs["byteLength"])
    prefix = inputs.get("prefix", "")
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return url, {
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(raw)),
        "hex": prefix + raw.hex(),
    }


def random_string(inputs: Properties) -> tuple[str, Properties]:
    """``length`` characters, at least ``min…`` of each class that is switched on."""
    result = _characters(inputs)
    return result, {"result": result}


def random_password(inputs: Properties) -> tuple[str, Properties]:
    """As `random_string`, but secret; the id says nothing about it."""
    return "none", {"result": secret(_characters(inputs))}


def _characters(inputs: Properties) -> str:
    settings = {**inputs, "numeric": inputs.get("numeric", inputs.get("number", True))}
    chosen: list[str] = []
    everything = ""
    for switch, minimum, default in _CLASSES:
        alphabet = settings.get("overrideSpecial") or default if switch == "special" else default
        if settings.get(switch, True):
            everything += alphabet
            chosen += [secrets.choice(alphabet) for _ in range(settings.get(minimum, 0))]
    chosen += [secrets.choice(everything) for _ in range(settings["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


Maker = Callable[[Properties], tuple[str, Properties]]
TYPES: dict[str, tuple[Maker, tuple[str, ...]]] = {  # token -> maker, outputs unknown in a preview
    "random:index/randomId:RandomId": (random_id, ("b64Std", "b64Url", "dec", "hex")),
    "random:index/randomPassword:RandomPassword": (random_password, ("result",)),
    "random:index/randomString:RandomString": (random_string, ("result",)),
}


class RandomBackend(Backend):
    """Values that are made once and live in the state only."""

    name = "random"
    version = "4.21.4"

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, list[CheckFailure]]:
        """Refuse unknown types and lengths that cannot be had."""
        del old, seed
        if resource.type not in TYPES:
            raise ProviderError(
                f"{resource.type} is not in the random stand-in of the embedded platform; "
                f"it knows {', '.join(sorted(TYPES))}. "
                "Add it to local/plugins/random.py or use the official plugin."
            )
        required = "byteLength" if "byteLength" in new else "length"
        size: Any = new.get(required)
        minimum = sum(new.get(name, 0) for _, name, _ in _CLASSES if new.get(name) != UNKNOWN)
        if size != UNKNOWN and (not isinstance(size, int) or size < max(1, minimum)):
            reason = f"{required} is {size!r}; it must be a whole number of at least {max(1, minimum)}"
            return new, [CheckFailure(required, reason)]
        return new, []

    def diff(self, resource: Resource, old: Properties, new: Properties) -> Diff:
        """Every change makes a new value."""
        del resource
        found = list(differences(old, new))
        return Diff(found, frozenset(str(item) for item in found))

    def create(
        self, resource: Resource, inputs: Properties, *, preview: bool, timeout_seconds: float
    ) -> tuple[str, Properties]:
        """Make the value."""
        del timeout_seconds
        make, computed = TYPES[resource.type]
        if preview:
            return "", {**inputs, **dict.fromkeys(computed, UNKNOWN)}
        identifier, outputs = make(inputs)
        return identifier, {**inputs, **outputs}

    def read(self, resource: Resource, identifier: str, inputs: Properties, outputs: Properties) -> Found:
        """The state is the only place that knows the value."""
        del resource, identifier
        return Found(outputs, inputs)

    def delete(
        self,
        resource: Resource,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
        *,
        timeout_seconds: float,
    ) -> None:
        """Nothing exists outside the state."""


def main() -> None:
    """Serve the engine that started this process."""
    run(RandomBackend())
