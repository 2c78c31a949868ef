"""Errors of the embedded platform."""

from __future__ import annotations

from tools.errors import ActionableError


class PlatformError(ActionableError):
    """Something on this machine is in the way: `PlatformError(what, where=…, fix=…)`."""
