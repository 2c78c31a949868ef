"""Requests to the emulator itself, beside the AWS ones that boto3 sends."""

from __future__ import annotations

import httpx

from local.errors import PlatformError

HEALTH_PATH = "/_day2/health"

# The access key of the account's root user: with enforcement on, it still may do everything.
ROOT_ACCESS_KEY = "local"

_ANSWER_SECONDS = 10.0


def enforce_iam(endpoint: str, on: bool) -> None:  # noqa: FBT001 the call reads as what it does
    """Switch IAM enforcement on or off for every request that follows, at once.

    While on, requests need credentials that the emulator issued (or the access key `local`, the account's
    root) and the permissions of their policies. A restart of the emulator switches it off.

    Args:
        endpoint: The emulator's URL.
        on: Whether policies are enforced.

    Raises:
        PlatformError: The emulator does not answer.
    """
    # moto counts the requests that it lets pass unchecked: none, or no end of them.
    unchecked = "0" if on else "inf"
    try:
        answer = httpx.post(
            f"{endpoint}/moto-api/reset-auth", content=unchecked, timeout=_ANSWER_SECONDS, trust_env=False
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise PlatformError(
            f"IAM enforcement could not be switched {'on' if on else 'off'}: {error}",
            where=endpoint,
            fix="start the embedded platform with `make up`",
        ) from error
