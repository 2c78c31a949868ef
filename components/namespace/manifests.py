"""Manifests of a namespace that starts out closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def restricted_namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A namespace in which only pods of the restricted level run (https://kubernetes.io/docs/concepts/security/pod-security-standards/).

    Args:
        name: Name of the namespace.
        labels: Its other labels.
    """
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**labels, **levels}},
    }


def default_deny(namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A NetworkPolicy that denies all traffic of all pods; what is allowed, other policies add.

    Args:
        namespace: Namespace that it closes.
        labels: Its labels.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny", "namespace": namespace, "labels": dict(labels)},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
