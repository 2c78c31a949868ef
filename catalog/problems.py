"""How wrong input is told: one sentence for each problem, with file, key, value and the fix."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_SHOWN_VALUE_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in one file.

    Attributes:
        file: Path as the reader knows it, relative to the project where possible.
        key: Dotted path inside the file, empty for the file as a whole.
        value: What stands there, shortened; empty if nothing does.
        fix: What is wrong and what to write instead.
    """

    file: str
    key: str
    value: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        found = f" is {self.value}" if self.value else ""
        return f"{where}{found}: {self.fix}"


class InputError(Exception):
    """Input that a user wrote is wrong; the message lists every problem found, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def shown(value: Any) -> str:
    """A value as an error message shows it: its repr, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN_VALUE_CHARACTERS else text[: _SHOWN_VALUE_CHARACTERS - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The part of a fix that names the nearest known word, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def problems_of(
    error: ValidationError, *, file: str, prefix: str = "", model: type[BaseModel]
) -> list[Problem]:
    """Turns pydantic's errors into problems that say how to mend them.

    Args:
        error: What pydantic raised.
        file: The file that the data came from.
        prefix: Dotted path of the validated data inside the file.
        model: The model that was validated against; its field names feed the suggestions.
    """
    details = error.errors()
    return [
        _problem(detail, file=file, prefix=prefix, model=model)
        for detail in details
        # A list whose items are wrong also counts as too short: its items say what to mend.
        if detail["type"] != "too_short" or not any(_is_below(other, detail) for other in details)
    ]


def _is_below(detail: ErrorDetails, other: ErrorDetails) -> bool:
    depth = len(other["loc"])
    return len(detail["loc"]) > depth and detail["loc"][:depth] == other["loc"]


def _problem(detail: ErrorDetails, *, file: str, prefix: str, model: type[BaseModel]) -> Problem:
    location = [str(part) for part in detail["loc"] if not str(part).startswith("function-")]
    key = ".".join([part for part in (prefix,) if part] + location)
    kind = detail["type"]
    if kind == "missing":
        return Problem(file=file, key=key, value="", fix="is missing: add it")
    if kind == "extra_forbidden":
        known = _field_names(model, location[:-1])
        hint = did_you_mean(location[-1], known) if known else "remove it"
        return Problem(file=file, key=key, value=shown(detail["input"]), fix=f"unknown key: {hint}")
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return Problem(file=file, key=key, value=shown(detail["input"]), fix=message[:1].lower() + message[1:])


def _field_names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Field names of the model that stands at a path; empty where that is not one model."""
    current = model
    for part in path:
        fields = {field.alias or name: field for name, field in current.model_fields.items()}
        if part not in fields:
            continue  # a list's index or a mapping's key leads to the model we already have
        inside = _models_in(fields[part].annotation)
        if len(inside) != 1:
            return []
        current = inside[0]
    return [field.alias or name for name, field in current.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
