"""Where things lie in an evidence bucket, and what names may be made of."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,100}[a-z0-9])?")
_RECORD = re.compile(r".+/records/(\d{10})\.dsse\.json")
FIRST_SEQUENCE = 1


def checked_name(name: str, what: str) -> str:
    """The name itself, if it may be part of a key.

    Raises:
        ValueError: It may not.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(f"{what} {name!r} is no name for an object: use a-z, 0-9, '-' and '.'")
    return name


def new_run_id(moment: datetime) -> str:
    """Identifier of a run: sorts by time and is unique, `20261121t020000z-1f9c03aa`."""
    return f"{moment.astimezone(UTC):%Y%m%dt%H%M%Sz}-{secrets.token_hex(4)}"


def documents_prefix(kind: str) -> str:
    """Start of the keys of a kind's documents."""
    return f"{kind}/documents/"


def records_prefix(kind: str) -> str:
    """Start of the keys of a kind's records."""
    return f"{kind}/records/"


def document_key(kind: str, moment: datetime, run_id: str, name: str) -> str:
    """Key of a document: `<kind>/documents/<YYYY>/<MM>/<DD>/<run-id>/<name>.json`, the day in UTC."""
    return f"{documents_prefix(kind)}{moment.astimezone(UTC):%Y/%m/%d}/{run_id}/{name}.json"


def record_key(kind: str, sequence: int) -> str:
    """Key of a record: `<kind>/records/<10-digit sequence>.dsse.json`."""
    return f"{records_prefix(kind)}{sequence:010d}.dsse.json"


def record_sequence(key: str) -> int | None:
    """Place in the chain that a record's key names, None for a key of something else."""
    match = _RECORD.fullmatch(key)
    return int(match[1]) if match else None
