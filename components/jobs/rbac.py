"""A job's RBAC objects, from the `kubernetes` grants of its catalogue entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.jobs import KubernetesGrant

_GROUP = "rbac.authorization.k8s.io"


def rbac_manifests(metadata: Mapping[str, Any], grants: tuple[KubernetesGrant, ...]) -> list[dict[str, Any]]:
    """Roles and bindings of a job's service account; none for a scope without grants.

    Args:
        metadata: Name, namespace and labels; the service account has the same name.
        grants: Grants of the catalogue entry.
    """
    name, namespace = metadata["name"], metadata["namespace"]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    cluster_wide = {"name": f"{namespace}:{name}", "labels": metadata["labels"]}
    manifests: list[dict[str, Any]] = []
    for scope, kind, its in (("cluster", "ClusterRole", cluster_wide), ("namespace", "Role", metadata)):
        rules = [_rule(grant) for grant in grants if grant.scope == scope]
        if rules:
            reference = {"apiGroup": _GROUP, "kind": kind, "name": its["name"]}
            manifests.append(_object(kind, its, {"rules": rules}))
            manifests.append(_object(f"{kind}Binding", its, {"roleRef": reference, "subjects": [subject]}))
    return manifests


def _object(kind: str, metadata: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": dict(metadata), **body}


def _rule(grant: KubernetesGrant) -> dict[str, Any]:
    return {
        "apiGroups": list(grant.groups),
        "resources": list(grant.resources),
        "verbs": list(grant.verbs),
    }
