"""What every catalogue model shares: strictness, names, durations."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints

_DURATION = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class CatalogueModel(BaseModel):
    """Frozen, and a key that no field has is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Expiring(CatalogueModel):
    """An entry that may end on a date; the loader refuses an expired one.

    Attributes:
        expires: Last day on which the entry holds, None for no end.
    """

    expires: date | None = None


def _parse_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError("is not a duration: write a number and a unit, as in 30s, 5m, 26h or 30d")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if seconds == 0:
        raise ValueError("is no time at all: write more than 0")
    return timedelta(seconds=seconds)


def prometheus_duration(duration: timedelta) -> str:
    """A duration as PromQL and Kubernetes write it, in its largest whole unit: `1h`, `3d`, `90s`."""
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


Duration = Annotated[timedelta, BeforeValidator(_parse_duration), PlainSerializer(prometheus_duration)]
"""A length of time, written `30s`, `5m`, `26h`, `30d`, `1h30m`."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A DNS-1123 label, as Kubernetes and OpenSLO want names: at most 63 of a-z, 0-9 and '-'."""
