"""Policy documents of the evidence store, and its namespace's manifests."""

from __future__ import annotations

from components.evidence.policies import (
    account_key_policy,
    replication_permissions,
    replication_trust,
    tls_only,
)
from components.namespace.manifests import default_deny, restricted_namespace


def test_a_bucket_refuses_every_request_without_tls() -> None:
    (statement,) = tls_only("arn:aws:s3:::evidence")["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == ["arn:aws:s3:::evidence", "arn:aws:s3:::evidence/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_replication_may_read_the_source_and_write_the_replica_only() -> None:
    document = replication_permissions(
        source_arn="arn:s", source_key_arn="arn:sk", replica_arn="arn:r", replica_key_arn="arn:rk"
    )
    allowed = {
        (action, resource)
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert {r for a, r in allowed if a.startswith(("s3:Replicate", "kms:Encrypt"))} == {"arn:r/*", "arn:rk"}
    assert {r for a, r in allowed if a.startswith(("s3:Get", "s3:List", "kms:Decrypt"))} == {
        "arn:s",
        "arn:s/*",
        "arn:sk",
    }
    assert [a for a, _ in allowed if "*" in a] == []
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} <= {a for a, _ in allowed}


def test_only_s3_of_this_account_assumes_the_replication_role() -> None:
    (statement,) = replication_trust("123456789012")["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_key_leaves_rights_to_the_accounts_own_iam_policies() -> None:
    (statement,) = account_key_policy("123456789012")["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


def test_the_namespace_enforces_the_restricted_level() -> None:
    labels = restricted_namespace("day2-system", {"a": "b"})["metadata"]["labels"]
    assert labels == {
        "a": "b",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }


def test_the_namespace_starts_with_all_traffic_denied() -> None:
    spec = default_deny("day2-system", {})["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
