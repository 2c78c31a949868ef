"""A stand-in for an API server: discovery and lists of what a test puts in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.operations.support import Answer

KINDS = {
    "policies.kyverno.io/v1/validatingpolicies": "ValidatingPolicy",
    "policies.kyverno.io/v1alpha1/validatingpolicies": "ValidatingPolicy",
    "policies.kyverno.io/v1alpha1/mutatingpolicies": "MutatingPolicy",
    "kyverno.io/v1/clusterpolicies": "ClusterPolicy",
    "kyverno.io/v1/updaterequests": "UpdateRequest",
    "admissionregistration.k8s.io/v1/validatingadmissionpolicies": "ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
    "networking.k8s.io/v1/networkpolicies": "NetworkPolicy",
    "monitoring.coreos.com/v1/prometheusrules": "PrometheusRule",
    "batch/v1/jobs": "Job",
}


class ApiServer:
    """Answers as an API server does; `answer` goes to a `JsonServer`.

    Attributes:
        objects: By `group/version/plural`; core objects by `v1/plural`.
        forbidden: Lists that are refused, named likewise.
        absent: API groups that aren't installed.
        page_size: How many objects an answer holds at most.
    """

    def __init__(
        self,
        objects: dict[str, list[dict[str, Any]]],
        *,
        forbidden: Iterable[str] = (),
        absent: Iterable[str] = (),
    ) -> None:
        self.objects = objects
        self.forbidden = set(forbidden)
        self.kinds = {k: v for k, v in KINDS.items() if k.split("/")[0] not in absent}
        self.page_size = 2

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Status and body for a GET."""
        parts = path.strip("/").split("/")
        if path == "/version/":
            return 200, {
                "major": "1",
                "minor": "35",
                "gitVersion": "v1.35.4",
                "gitCommit": "",
                "gitTreeState": "",
                "buildDate": "",
                "goVersion": "",
                "compiler": "",
                "platform": "",
            }
        if path == "/apis/":
            return 200, {"groups": [self._group(g) for g in sorted({k.split("/")[0] for k in self.kinds})]}
        if len(parts) == 3:
            return 200, self._resources(f"{parts[1]}/{parts[2]}") if parts[0] == "apis" else self._list(
                "v1/" + parts[2], query
            )[1]
        namespace = parts[4] if parts[3] == "namespaces" and len(parts) == 6 else None
        return self._list("/".join([parts[1], parts[2], parts[-1]]), query, namespace)

    def _group(self, name: str) -> dict[str, Any]:
        versions = sorted({k.split("/")[1] for k in self.kinds if k.split("/")[0] == name})
        served = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
        return {"name": name, "versions": served, "preferredVersion": served[0]}

    def _resources(self, group_version: str) -> dict[str, Any]:
        found = [(k.split("/")[2], v) for k, v in self.kinds.items() if k.startswith(group_version + "/")]
        names = [(p + s, kind) for p, kind in found for s in ("", "/status")]
        return {
            "groupVersion": group_version,
            "resources": [
                {"name": n, "kind": kind, "singularName": "", "namespaced": True, "verbs": ["get", "list"]}
                for n, kind in names
            ],
        }

    def _list(self, name: str, query: dict[str, str], namespace: str | None = None) -> Answer:
        if name in self.forbidden:
            return 403, {"kind": "Status", "reason": "Forbidden", "code": 403}
        everything = [
            o for o in self.objects.get(name, []) if namespace in (None, o["metadata"].get("namespace"))
        ]
        start = int(query.get("continue", "0"))
        end = start + self.page_size
        more = {"continue": str(end)} if end < len(everything) else {}
        return 200, {"kind": "List", "metadata": more, "items": everything[start:end]}


def kubeconfig(path: Path, url: str) -> Path:
    """Writes a kubeconfig for a server without authentication."""
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
        f"clusters: [{{name: a, cluster: {{server: '{url}'}}}}]\n"
        "users: [{name: a, user: {token: t}}]\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
    )
    return path


def api_object(name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """An object of any kind."""
    about = {"name": name, "uid": f"uid-{name}", "generation": 1, **metadata}
    return {"metadata": about, **({"spec": spec} if spec is not None else {})}


OBJECTS: dict[str, list[dict[str, Any]]] = {
    "policies.kyverno.io/v1/validatingpolicies": [api_object("no-privileged", {"a": 1})],
    "policies.kyverno.io/v1alpha1/mutatingpolicies": [api_object("add-label", {"b": 1})],
    "admissionregistration.k8s.io/v1/validatingadmissionpolicies": [api_object("no-node-port", {"c": 1})],
    "networking.k8s.io/v1/networkpolicies": [
        api_object(f"deny-{n}", {"podSelector": {}}, namespace="day2-system") for n in range(5)
    ],
    "monitoring.coreos.com/v1/prometheusrules": [
        api_object(
            "slo-reporting",
            {"groups": [{"rules": [{"alert": "A"}, {"record": "b"}]}, {"rules": [{"record": "c"}]}]},
            namespace="day2-system",
            labels={"day2.dev/service": "reporting"},
        )
    ],
    "v1/namespaces": [
        api_object("day2-system", labels={"pod-security.kubernetes.io/enforce": "restricted", "other": "x"}),
        api_object("default"),
    ],
    "batch/v1/jobs": [
        {
            **api_object(
                "nightly-1", namespace="day2-system", ownerReferences=[{"kind": "CronJob", "name": "nightly"}]
            ),
            "status": {
                "startTime": "2026-11-21T02:00:00Z",
                "completionTime": "2026-11-21T02:01:30Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
        },
        {
            **api_object("drill-1", namespace="day2-system"),
            "status": {
                "startTime": "2026-11-21T02:00:00Z",
                "conditions": [
                    {
                        "type": "Failed",
                        "status": "True",
                        "reason": "BackoffLimitExceeded",
                        "lastTransitionTime": "2026-11-21T02:00:20Z",
                    }
                ],
            },
        },
        {**api_object("now-1", namespace="day2-system"), "status": {"startTime": "2026-11-21T02:00:00Z"}},
        api_object("elsewhere", namespace="default"),
    ],
}
