"""Kubeconfig files with everything embedded, so that they work wherever they are copied."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from local.control_plane.pki import Pki


def kubeconfig(pki: Pki, *, user: str, server: str, context: str) -> dict[str, Any]:
    """Describe one cluster and one user.

    Args:
        pki: Where CA, certificate and key are.
        user: Name of the client certificate.
        server: URL of the API server.
        context: Name of cluster and context; the region.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(pki.certificate("ca")),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _base64(pki.certificate(user)),
                    "client-key-data": _base64(pki.key(user)),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }


def write_kubeconfig(path: Path, content: dict[str, Any]) -> None:
    """Write it for this user only, replacing the file at once."""
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    partial.replace(path)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
