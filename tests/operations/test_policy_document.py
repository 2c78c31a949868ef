"""The policy document and job results: what a cluster tells, and what is said where it tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.clients import kubernetes_client
from operations.cluster import Cluster
from operations.evidence.canonical import compact_bytes, sha256_hex
from operations.jobs.nightly_evidence.availability import count, not_available
from operations.jobs.nightly_evidence.job_results import job_results
from operations.jobs.nightly_evidence.policy import policy_document, prometheus_rules
from tests.operations.api_server import OBJECTS, ApiServer, kubeconfig
from tests.operations.support import StartServer

OpenCluster = Callable[[ApiServer], Cluster]


@pytest.fixture
def open_cluster(json_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenCluster:
    def open_(api: ApiServer) -> Cluster:
        config = kubeconfig(tmp_path / "kubeconfig", json_server(api.answer).url)
        monkeypatch.setenv("KUBECONFIG", str(config))
        return Cluster(kubernetes_client())

    return open_


def policies(cluster: Cluster) -> dict[str, Any]:
    return policy_document(cluster, prometheus_rules(cluster))


def test_policies_of_every_kyverno_version_are_found_once_each_in_the_preferred_one(
    open_cluster: OpenCluster,
) -> None:
    section = policies(open_cluster(ApiServer(OBJECTS)))["kyverno_policies"]
    assert section["status"] == "available"
    assert section["kinds"]["validatingpolicies"]["objects"] == [
        {
            "name": "no-privileged",
            "namespace": None,
            "uid": "uid-no-privileged",
            "generation": 1,
            "labels": {},
            "spec_sha256": sha256_hex(compact_bytes({"a": 1})),
        }
    ]
    assert [o["name"] for o in section["kinds"]["mutatingpolicies"]["objects"]] == ["add-label"]


def test_kyvernos_book_keeping_is_no_policy(open_cluster: OpenCluster) -> None:
    section = policies(open_cluster(ApiServer(OBJECTS)))["kyverno_policies_of_the_older_api"]
    assert list(section["kinds"]) == ["clusterpolicies"]


def test_an_absent_api_group_is_not_available_with_its_name(open_cluster: OpenCluster) -> None:
    document = policies(
        open_cluster(ApiServer(OBJECTS, absent=["policies.kyverno.io", "monitoring.coreos.com"]))
    )
    assert document["kyverno_policies"] == not_available(
        "API group policies.kyverno.io is not installed in this cluster"
    )
    assert document["prometheus_rules"]["status"] == "not available"
    assert document["validating_admission_policies"]["status"] == "available"


def test_a_forbidden_list_is_not_available_and_hides_no_other(open_cluster: OpenCluster) -> None:
    forbidden = ["policies.kyverno.io/v1alpha1/mutatingpolicies", "networking.k8s.io/v1/networkpolicies"]
    document = policies(open_cluster(ApiServer(OBJECTS, forbidden=forbidden)))
    kinds = document["kyverno_policies"]["kinds"]
    assert kinds["mutatingpolicies"]["status"] == "not available"
    assert "mutatingpolicies.policies.kyverno.io is forbidden" in kinds["mutatingpolicies"]["reason"]
    assert kinds["validatingpolicies"]["status"] == "available"
    assert "forbidden" in document["network_policies"]["reason"]


def test_namespaces_tell_their_pod_security_and_all_pages_are_read(open_cluster: OpenCluster) -> None:
    document = policies(open_cluster(ApiServer(OBJECTS)))
    assert document["namespaces"]["objects"] == [
        {"name": "day2-system", "pod_security": {"enforce": "restricted"}},
        {"name": "default", "pod_security": {}},
    ]
    names = [o["name"] for o in document["network_policies"]["by_namespace"]["day2-system"]]
    assert names == [f"deny-{n}" for n in range(5)]


def test_rules_are_counted(open_cluster: OpenCluster) -> None:
    (rule,) = prometheus_rules(open_cluster(ApiServer(OBJECTS)))["objects"]
    assert (rule["groups"], rule["alerts"], rule["recordings"]) == (2, 1, 2)


def test_a_dead_api_server_is_not_available_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "kc", "http://127.0.0.1:1")))
    monkeypatch.setattr("operations.clients.KUBERNETES_RETRIES", False)
    document = policies(Cluster(kubernetes_client()))
    assert count(document) == {"not available": 7}
    assert "doesn't answer" in document["namespaces"]["reason"]


def test_job_results_tell_duration_and_outcome(open_cluster: OpenCluster) -> None:
    results = job_results(open_cluster(ApiServer(OBJECTS)), "day2-system")["objects"]
    assert [(r["name"], r["result"], r["duration_seconds"]) for r in results] == [
        ("nightly-1", "succeeded", 90.0),
        ("drill-1", "failed", 20.0),
        ("now-1", "running", None),
    ]
    assert results[0]["cron_job"] == "nightly"
    assert results[1]["reason"] == "BackoffLimitExceeded"
