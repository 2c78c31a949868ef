"""Findings that either are there or say why not, so that nothing missing can read as good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operations.cluster import ClusterError
from operations.prometheus import NoNumberError

AVAILABLE = "available"
NOT_AVAILABLE = "not available"
MET = "met"
NOT_MET = "not met"

_STATUSES = (AVAILABLE, MET, NOT_MET, NOT_AVAILABLE)


def available(**found: Any) -> dict[str, Any]:
    """A section with what was found."""
    return {"status": AVAILABLE, **found}


def not_available(reason: str) -> dict[str, Any]:
    """A section that has nothing, and why."""
    return {"status": NOT_AVAILABLE, "reason": reason}


def attempt(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A section with what `find` gives, or with the reason why the cluster or Prometheus gave nothing."""
    try:
        return available(**find())
    except (ClusterError, NoNumberError) as error:
        return not_available(str(error))


def count(document: Any) -> dict[str, int]:
    """How many sections of a document have which status, at any depth."""
    found = Counter(_statuses(document))
    return {status: found[status] for status in _STATUSES if found[status]}


def _statuses(data: Any) -> list[str]:
    if isinstance(data, Mapping):
        own = [data["status"]] if data.get("status") in _STATUSES else []
        return own + [status for value in data.values() for status in _statuses(value)]
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [status for value in data for status in _statuses(value)]
    return []
