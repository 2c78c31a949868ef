"""The one way in which this package writes JSON, so that equal data has equal bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def document_bytes(data: Any) -> bytes:
    """A document for people and programs: sorted keys, indented, UTF-8, one newline at the end.

    Raises:
        ValueError: The data holds NaN or an infinity, which JSON has no word for.
        TypeError: The data is no JSON data.
    """
    return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def compact_bytes(data: Any) -> bytes:
    """Data that is signed or hashed: sorted keys, no white space, UTF-8.

    Raises:
        ValueError: The data holds NaN or an infinity.
        TypeError: The data is no JSON data.
    """
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_hex(data: bytes) -> str:
    """SHA-256 digest in lower-case hex."""
    return hashlib.sha256(data).hexdigest()
