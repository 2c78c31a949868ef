"""Numbers from Prometheus, where no number is an error and never a zero."""

from __future__ import annotations

import math
from typing import Any

import httpx

from operations.errors import OperationsError

_TIMEOUT_SECONDS = 10.0
_CONNECT_RETRIES = 2


class NoNumberError(OperationsError):
    """Prometheus has no usable number; the text is the reason."""


class Prometheus:
    """One Prometheus, or anything that speaks its HTTP API v1.

    After a first call without any answer it isn't asked again: a run has many queries, and each would wait.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._silence: str | None = None
        self._http = httpx.Client(
            timeout=_TIMEOUT_SECONDS, transport=httpx.HTTPTransport(retries=_CONNECT_RETRIES)
        )

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def number(self, query: str) -> float:
        """Value of an instant query that gives exactly one series.

        Raises:
            NoNumberError: There is none, there are several, it isn't finite, or Prometheus doesn't answer.
        """
        result = self._query(query)
        if not result:
            raise NoNumberError(f"{query} has no data")
        if len(result) > 1:
            raise NoNumberError(f"{query} gives {len(result)} series instead of one")
        try:
            value = float(result[0]["value"][1])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise NoNumberError(f"{query} gives a sample of unknown form") from error
        if not math.isfinite(value):
            raise NoNumberError(f"{query} is {value}")
        return value

    def _query(self, query: str) -> list[Any]:
        if self._silence is not None:
            raise NoNumberError(self._silence)
        try:
            answer = self._http.get(f"{self.url}/api/v1/query", params={"query": query})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._silence = f"{self.url} doesn't answer: {type(error).__name__}"
            raise NoNumberError(self._silence) from error
        try:
            body = answer.json()
            data = body["data"] if answer.is_success and body["status"] == "success" else None
            if data is not None and data["resultType"] == "vector" and isinstance(data["result"], list):
                return data["result"]
            reason = body.get("error") or f"a {data['resultType']}" if data else body.get("error", "an error")
        except (ValueError, KeyError, TypeError, AttributeError):
            reason = "no Prometheus answer"
        raise NoNumberError(f"{self.url} gives {reason} (HTTP {answer.status_code}) for {query}")
