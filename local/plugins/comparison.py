"""Comparison of property bags: the differences the engine shows, and the inputs that match a live object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from local.plugins.properties import UNKNOWN

Kind = Literal["ADD", "DELETE", "UPDATE"]
Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


@dataclass(frozen=True)
class Difference:
    """One property that differs: where, and what happened to it from old to new."""

    path: Path
    kind: Kind

    def __str__(self) -> str:
        """The path in the engine's notation: ``spec.containers[0].env["a.b"]``."""
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            elif _PLAIN_KEY.fullmatch(part):
                text += f".{part}" if text else part
            else:
                escaped = part.replace("\\", "\\\\").replace('"', '\\"')
                text += f'["{escaped}"]'
        return text


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Yield every leaf that differs between ``old`` and ``new``; an unknown new value counts as changed."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                yield Difference((*path, key), "DELETE")
            elif key not in old:
                yield Difference((*path, key), "ADD")
            else:
                yield from differences(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from differences(before, after, (*path, index))
        for index in range(len(new), len(old)):
            yield Difference((*path, index), "DELETE")
        for index in range(len(old), len(new)):
            yield Difference((*path, index), "ADD")
    elif new == UNKNOWN or old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Difference(path, "UPDATE")


_MISSING: Any = object()


def drifted_inputs(inputs: Any, recorded: Any, live: Any) -> Any:
    """The inputs as the live object now has them.

    An input whose live value is still what was recorded after the last update keeps its own spelling (servers
    store ``0.5`` CPU as ``500m``, drop empty lists, add defaults); one that changed takes the live value; one
    that was removed disappears. What the inputs never set is left out.

    Args:
        inputs: The inputs of the last update.
        recorded: The outputs recorded with them.
        live: The object as it is now, in the same shape as ``recorded``.

    Returns:
        Data in the shape of ``inputs``.
    """
    result = _drift(inputs, recorded, live)
    return {} if result is _MISSING else result


def _drift(inputs: Any, recorded: Any, live: Any) -> Any:
    if recorded is live or recorded == live:
        return inputs
    if isinstance(inputs, dict) and isinstance(live, dict):
        before = recorded if isinstance(recorded, dict) else {}
        pairs = (
            (key, _drift(value, before.get(key, _MISSING), live.get(key, _MISSING)))
            for key, value in inputs.items()
        )
        return {key: value for key, value in pairs if value is not _MISSING}
    if isinstance(inputs, list) and isinstance(live, list):
        return _drift_list(inputs, recorded if isinstance(recorded, list) else [], live)
    return inputs if inputs == live else live


def _drift_list(inputs: list[Any], recorded: list[Any], live: list[Any]) -> list[Any]:
    """Match items by their ``name`` where all have one (containers, ports, env), else by position."""
    if _named(inputs) and _named(live) and _named(recorded):
        before = {item["name"]: item for item in recorded}
        now = {item["name"]: item for item in live}
        ours = [
            _drift(item, before.get(item["name"], _MISSING), now[item["name"]])
            for item in inputs
            if item["name"] in now
        ]
        known = {item["name"] for item in inputs} | before.keys()
        return ours + [item for item in live if item["name"] not in known]
    if len(inputs) == len(recorded) == len(live):
        return [_drift(item, before, now) for item, before, now in zip(inputs, recorded, live, strict=True)]
    return live


def _named(items: list[Any]) -> bool:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return len(names) == len(items) and None not in names and len(set(names)) == len(names)
