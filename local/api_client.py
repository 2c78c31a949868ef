"""A client of a region's API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes import config

if TYPE_CHECKING:
    from pathlib import Path


def api_client(kubeconfig: Path) -> Any:
    """The official client, for a kubeconfig file.

    Args:
        kubeconfig: The file.
    """
    return config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]  # it has no types
