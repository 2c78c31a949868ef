"""A job's NetworkPolicy: nothing comes in, and out goes only what its catalogue entry names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.jobs import Destination

_HTTPS = 443
_DNS = 53


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """Where the names in a job's `egress` are.

    Attributes:
        aws_cidrs: Address ranges of the AWS endpoints, port 443.
        kubernetes_cidrs: Address ranges of the API server.
        kubernetes_port: Its port.
        prometheus_namespace: Namespace of Prometheus, None where none runs.
        prometheus_port: Its port.
    """

    aws_cidrs: tuple[str, ...]
    kubernetes_cidrs: tuple[str, ...]
    kubernetes_port: int = _HTTPS
    prometheus_namespace: str | None = None
    prometheus_port: int = 9_090


def job_network_policy(
    metadata: Mapping[str, Any],
    *,
    pod_labels: Mapping[str, str],
    egress: tuple[Destination, ...],
    destinations: Destinations,
) -> dict[str, Any]:
    """A NetworkPolicy for a job's pods.

    Args:
        metadata: Name, namespace and labels of the object.
        pod_labels: Labels that select the job's pods.
        egress: Destinations of the catalogue entry.
        destinations: Where they are; one that does not exist in this region opens nothing.
    """
    rules = [rule for destination in egress for rule in _rules(destination, destinations)]
    if rules:
        rules.append(_dns())
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": dict(metadata),
        "spec": {
            "podSelector": {"matchLabels": dict(pod_labels)},
            "policyTypes": ["Ingress", "Egress"],
            "egress": rules,
        },
    }


def _rules(destination: Destination, where: Destinations) -> list[dict[str, Any]]:
    if destination == "aws":
        return [_to_ranges(where.aws_cidrs, _HTTPS)]
    if destination == "kubernetes":
        return [_to_ranges(where.kubernetes_cidrs, where.kubernetes_port)]
    if where.prometheus_namespace is None:
        return []
    selector = {"matchLabels": {"kubernetes.io/metadata.name": where.prometheus_namespace}}
    return [{"to": [{"namespaceSelector": selector}], "ports": [_port("TCP", where.prometheus_port)]}]


def _to_ranges(cidrs: tuple[str, ...], port: int) -> dict[str, Any]:
    return {"to": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs], "ports": [_port("TCP", port)]}


def _dns() -> dict[str, Any]:
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    pods = {"matchLabels": {"k8s-app": "kube-dns"}}
    return {
        "to": [{"namespaceSelector": namespace, "podSelector": pods}],
        "ports": [_port("UDP", _DNS), _port("TCP", _DNS)],
    }


def _port(protocol: str, port: int) -> dict[str, Any]:
    return {"protocol": protocol, "port": port}
