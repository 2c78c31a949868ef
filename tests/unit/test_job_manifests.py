"""What a job's catalogue entry becomes: CronJob, rights and network."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.jobs import AwsGrant, KubernetesGrant
from components.jobs.cron_job import config_map, cron_job, secret, service_account
from components.jobs.iam import permission_policy, trust_policy
from components.jobs.missed_run import missed_run_rules
from components.jobs.network_policy import Destinations, job_network_policy
from components.jobs.rbac import rbac_manifests
from tests.unit.support import METADATA, job

_SOMEWHERE = Destinations(
    aws_cidrs=("10.0.0.0/16", "fd00::/64"),
    kubernetes_cidrs=("10.1.0.0/16",),
    kubernetes_port=6443,
    prometheus_namespace="monitoring",
    prometheus_port=9090,
)
_AWS = {
    "to": [{"ipBlock": {"cidr": "10.0.0.0/16"}}, {"ipBlock": {"cidr": "fd00::/64"}}],
    "ports": [{"protocol": "TCP", "port": 443}],
}
_KUBERNETES = {
    "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
    "ports": [{"protocol": "TCP", "port": 6443}],
}
_PROMETHEUS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    "ports": [{"protocol": "TCP", "port": 9090}],
}
_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def _network(egress: Any, destinations: Destinations = _SOMEWHERE) -> dict[str, Any]:
    policy = job_network_policy(
        METADATA, pod_labels={"day2.dev/job": "nothing"}, egress=egress, destinations=destinations
    )
    spec: dict[str, Any] = policy["spec"]
    assert spec["podSelector"] == {"matchLabels": {"day2.dev/job": "nothing"}}
    return spec


@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        (("aws",), [_AWS, _DNS]),
        (("kubernetes",), [_KUBERNETES, _DNS]),
        (("prometheus",), [_PROMETHEUS, _DNS]),
        (("aws", "prometheus", "kubernetes"), [_AWS, _PROMETHEUS, _KUBERNETES, _DNS]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_exactly_the_named_egress_is_open(egress: Any, expected: list[dict[str, Any]]) -> None:
    spec = _network(egress)
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert spec["egress"] == expected


def test_a_job_without_egress_reaches_nothing_not_even_dns() -> None:
    spec = _network(())
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == []


def test_prometheus_opens_nothing_where_none_runs() -> None:
    nowhere = Destinations(aws_cidrs=(), kubernetes_cidrs=())
    assert _network(("prometheus",), nowhere)["egress"] == []


def test_rbac_has_one_role_and_binding_for_each_scope_that_is_granted() -> None:
    grants = (
        KubernetesGrant(verbs=("get", "list"), groups=("batch",), resources=("jobs",), scope="namespace"),
        KubernetesGrant(verbs=("get",), groups=("",), resources=("namespaces",), scope="cluster"),
        KubernetesGrant(verbs=("list",), groups=("apps",), resources=("deployments",), scope="cluster"),
    )
    found = {m["kind"]: m for m in rbac_manifests(METADATA, grants)}
    assert list(found) == ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    assert found["ClusterRole"]["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    ]
    assert found["Role"]["rules"] == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]}
    ]
    subject = {"kind": "ServiceAccount", "name": "nothing", "namespace": "day2-system"}
    for kind in ("ClusterRole", "Role"):
        binding, role = found[f"{kind}Binding"], found[kind]
        assert binding["subjects"] == [subject]
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": kind,
            "name": role["metadata"]["name"],
        }
    assert "namespace" not in found["ClusterRole"]["metadata"]
    assert found["ClusterRole"]["metadata"]["name"] == "day2-system:nothing"


def test_a_job_without_grants_has_no_role() -> None:
    assert rbac_manifests(METADATA, ()) == []


def test_the_role_holds_exactly_the_granted_actions_on_the_granted_arns() -> None:
    grants = [
        AwsGrant(actions=("s3:PutObject", "s3:GetObject"), target="evidence-store"),
        AwsGrant(actions=("kms:Sign",), target="signing-key"),
    ]
    arns = {"evidence-store": ["arn:b", "arn:b/*"], "signing-key": ["arn:k"], "encryption-key": ["arn:e"]}
    assert permission_policy(grants, arns)["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["arn:b", "arn:b/*"]},
        {"Effect": "Allow", "Action": ["kms:Sign"], "Resource": ["arn:k"]},
    ]


def test_a_grant_on_something_without_arn_is_refused() -> None:
    grant = AwsGrant(actions=("kms:Sign",), target="signing-key")
    with pytest.raises(
        ValueError, match=r"no ARN is known for signing-key: give them, known are evidence-store"
    ):
        permission_policy([grant], {"evidence-store": ["arn:b"]})


def test_only_the_jobs_own_service_account_may_assume_the_role() -> None:
    document = trust_policy(
        account_id="123456789012",
        oidc_issuer="https://oidc.example.com/id/1",
        namespace="day2-system",
        service_account="nothing",
    )
    (statement,) = document["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1"
    }
    assert statement["Condition"] == {
        "StringEquals": {
            "oidc.example.com/id/1:aud": "sts.amazonaws.com",
            "oidc.example.com/id/1:sub": "system:serviceaccount:day2-system:nothing",
        }
    }


def _cron_job(secret_name: str | None = None, **changes: Any) -> dict[str, Any]:
    manifest = cron_job(
        METADATA,
        command="nothing",
        job=job(**changes),
        image="registry.example.com/day2@sha256:00",
        pod_labels={"day2.dev/job": "nothing"},
        secret_name=secret_name,
    )
    spec: dict[str, Any] = manifest["spec"]
    return spec


def _pod(spec: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = spec["jobTemplate"]["spec"]["template"]["spec"]
    return pod


def test_a_run_is_alone_in_utc_and_ends_at_its_timeout() -> None:
    spec = _cron_job(timeout="20m")
    assert (spec["schedule"], spec["timeZone"]) == ("0 2 * * *", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 1_200


def test_the_pod_meets_the_restricted_pod_security_level() -> None:
    pod = _pod(_cron_job())
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert [set(volume) for volume in pod["volumes"]] == [{"name", "emptyDir"}]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_runs_the_job_under_its_own_identity_and_environment() -> None:
    pod = _pod(_cron_job())
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == "nothing"
    assert pod["restartPolicy"] == "Never"
    assert container["command"] == ["python", "-m", "operations", "nothing"]
    assert container["image"] == "registry.example.com/day2@sha256:00"
    assert container["envFrom"] == [{"configMapRef": {"name": "nothing"}}]


def test_secrets_come_from_a_secret_and_not_from_the_config_map() -> None:
    (container,) = _pod(_cron_job(secret_name="nothing"))["containers"]
    assert container["envFrom"] == [
        {"configMapRef": {"name": "nothing"}},
        {"secretRef": {"name": "nothing"}},
    ]
    assert secret(METADATA, data={"TOKEN": "x"})["stringData"] == {"TOKEN": "x"}
    assert config_map(METADATA, data={"DAY2_REGION": "eu"})["data"] == {"DAY2_REGION": "eu"}


def test_memory_is_limited_and_cpu_is_not() -> None:
    (container,) = _pod(_cron_job(resources={"cpu": "250m", "memory": "1Gi"}))["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "250m", "memory": "1Gi"},
        "limits": {"memory": "1Gi"},
    }


def test_the_service_account_names_the_role_for_eks() -> None:
    annotations = service_account(METADATA, role_arn="arn:aws:iam::1:role/r")["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/role-arn"] == "arn:aws:iam::1:role/r"
    assert annotations["eks.amazonaws.com/audience"] == "sts.amazonaws.com"


def test_a_missed_run_is_told_after_the_entrys_time_with_its_severity_and_runbook() -> None:
    rules = missed_run_rules(
        "nothing", job(missed_after="26h", severity="critical"), cron_job="nothing", namespace="day2-system"
    )
    missed = next(rule for rule in rules if rule.get("alert") == "OperationsJobMissed")
    assert missed["expr"] == 'operations_job:seconds_since_success:max{operations_job="nothing"} > 93600'
    assert missed["labels"] == {"severity": "critical", "team": "platform", "operations_job": "nothing"}
    assert missed["annotations"]["runbook_url"] == "docs/runbooks/nothing.md"
    assert "more than 26h" in missed["annotations"]["summary"]


def test_the_missed_run_alert_reads_what_a_rule_before_it_records() -> None:
    rules = missed_run_rules("nothing", job(), cron_job="nothing", namespace="day2-system")
    names = [rule.get("record") or rule["alert"] for rule in rules]
    recorded = "operations_job:seconds_since_success:max"
    assert names.index(recorded) < names.index("OperationsJobMissed")
    assert rules[names.index(recorded)]["labels"] == {"operations_job": "nothing"}


def test_a_job_that_never_succeeded_and_one_that_is_gone_alert_too() -> None:
    rules = missed_run_rules("nothing", job(), cron_job="nothing", namespace="day2-system")
    of = '{namespace="day2-system",cronjob="nothing"}'
    assert f"or max(kube_cronjob_created{of})" in rules[0]["expr"]
    gone = next(rule for rule in rules if rule.get("alert") == "OperationsJobUnknown")
    assert gone["expr"] == f"absent(kube_cronjob_created{of})"
