"""The policy document: which rules were in force, by name, generation and digest."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from operations.evidence.canonical import compact_bytes, sha256_hex
from operations.jobs.nightly_evidence.availability import attempt

if TYPE_CHECKING:
    from operations.cluster import Cluster, Resource

PROMETHEUS_RULES = ("monitoring.coreos.com", "prometheusrules")

_POD_SECURITY = "pod-security.kubernetes.io/"
_KYVERNO = "policies.kyverno.io"
_KYVERNO_OLD = "kyverno.io"
_ADMISSION = "admissionregistration.k8s.io"
_ABOUT_OBJECT = frozenset({"apiVersion", "kind", "metadata", "status"})


def policy_document(cluster: Cluster, rules: dict[str, Any]) -> dict[str, Any]:
    """What guards the cluster.

    Args:
        cluster: Cluster to read.
        rules: The section made by `prometheus_rules`.
    """
    return {
        "kyverno_policies": attempt(lambda: _kinds(cluster, _KYVERNO)),
        "kyverno_policies_of_the_older_api": attempt(lambda: _kinds(cluster, _KYVERNO_OLD)),
        "validating_admission_policies": attempt(
            lambda: _objects(cluster, _ADMISSION, "validatingadmissionpolicies")
        ),
        "validating_admission_policy_bindings": attempt(
            lambda: _objects(cluster, _ADMISSION, "validatingadmissionpolicybindings")
        ),
        "namespaces": attempt(lambda: _namespaces(cluster)),
        "network_policies": attempt(lambda: _network_policies(cluster)),
        "prometheus_rules": rules,
    }


def prometheus_rules(cluster: Cluster) -> dict[str, Any]:
    """PrometheusRules of all namespaces with their numbers of rules; `labels` serve to find a service's."""

    def find() -> dict[str, Any]:
        objects = cluster.objects(cluster.resource(*PROMETHEUS_RULES))
        return {"objects": [{**_described(o), **_rule_counts(o)} for o in objects]}

    return attempt(find)


def _kinds(cluster: Cluster, group: str) -> dict[str, Any]:
    """Policies and exceptions of a Kyverno group; its other kinds are Kyverno's own book-keeping."""
    resources = [r for r in cluster.resources(group) if r.plural.endswith(("policies", "exceptions"))]
    return {"kinds": {r.plural: attempt(partial(_list, cluster, r)) for r in resources}}


def _objects(cluster: Cluster, group: str, plural: str) -> dict[str, Any]:
    return _list(cluster, cluster.resource(group, plural))


def _list(cluster: Cluster, resource: Resource) -> dict[str, Any]:
    return {"objects": [_described(o) for o in cluster.objects(resource)]}


def _namespaces(cluster: Cluster) -> dict[str, Any]:
    return {
        "objects": [
            {
                "name": o["metadata"]["name"],
                "pod_security": {
                    key.removeprefix(_POD_SECURITY): value
                    for key, value in (o["metadata"].get("labels") or {}).items()
                    if key.startswith(_POD_SECURITY)
                },
            }
            for o in cluster.namespaces()
        ]
    }


def _network_policies(cluster: Cluster) -> dict[str, Any]:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for o in cluster.objects(cluster.resource("networking.k8s.io", "networkpolicies")):
        found[o["metadata"]["namespace"]].append(_described(o))
    return {"by_namespace": dict(found)}


def _described(o: dict[str, Any]) -> dict[str, Any]:
    metadata = o["metadata"]
    content = o.get("spec", {k: v for k, v in o.items() if k not in _ABOUT_OBJECT})
    return {
        "name": metadata["name"],
        "namespace": metadata.get("namespace"),
        "uid": metadata.get("uid"),
        "generation": metadata.get("generation"),
        "labels": metadata.get("labels") or {},
        "spec_sha256": sha256_hex(compact_bytes(content)),
    }


def _rule_counts(o: dict[str, Any]) -> dict[str, int]:
    groups = (o.get("spec") or {}).get("groups") or []
    rules = [rule for group in groups for rule in group.get("rules") or []]
    return {
        "groups": len(groups),
        "alerts": sum("alert" in rule for rule in rules),
        "recordings": sum("record" in rule for rule in rules),
    }
