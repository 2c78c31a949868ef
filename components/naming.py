"""Physical names: one function that keeps them unique and within each service's limit."""

from __future__ import annotations

import hashlib

_HASH_CHARACTERS = 8

KUBERNETES_NAME_CHARACTERS = 63
CRON_JOB_NAME_CHARACTERS = 52  # the controller appends 11 characters to make a Job's name of at most 63
IAM_ROLE_NAME_CHARACTERS = 64
S3_BUCKET_NAME_CHARACTERS = 63


def safe_name(*parts: str, limit: int = KUBERNETES_NAME_CHARACTERS) -> str:
    """Joins parts with "-", in lower case; too long a name is cut and ends with a hash of the whole.

    Args:
        parts: What the name is made of, most general first; none may be empty.
        limit: Most characters that the service allows.

    Raises:
        ValueError: A part is empty, or the limit leaves no room beside the hash.
    """
    if not parts or not all(parts):
        raise ValueError(f"a name needs parts that are not empty, got {parts!r}")
    if limit < _HASH_CHARACTERS + 2:
        raise ValueError(f"a limit of {limit} leaves no room for a name beside its hash")
    name = "-".join(parts).lower()
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{name[: limit - _HASH_CHARACTERS - 1].rstrip('-')}-{digest}"
