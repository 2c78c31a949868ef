"""A job's IAM documents, from the `aws` grants of its catalogue entry.

The role is assumed by the job's service account alone, with its projected token (IAM roles for service
accounts, https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catalog.jobs import AwsGrant

TOKEN_AUDIENCE = "sts.amazonaws.com"  # noqa: S105 a name that every cluster shares, no secret


def trust_policy(
    *, account_id: str, oidc_issuer: str, namespace: str, service_account: str
) -> dict[str, Any]:
    """Who may assume the role: one service account of one cluster.

    Args:
        account_id: AWS account of the cluster's identity provider.
        oidc_issuer: The cluster's issuer of tokens, an https address.
        namespace: Namespace of the service account.
        service_account: Its name.
    """
    issuer = oidc_issuer.removeprefix("https://")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{account_id}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        f"{issuer}:aud": TOKEN_AUDIENCE,
                        f"{issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}",
                    }
                },
            }
        ],
    }


def permission_policy(grants: Sequence[AwsGrant], arns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """What the role may do: one statement for each grant.

    Args:
        grants: Grants of the catalogue entry.
        arns: ARNs, which may be outputs, by the names that grants use as `target`.

    Raises:
        ValueError: A grant's target has no ARN here.
    """
    missing = sorted({grant.target for grant in grants} - arns.keys())
    if missing:
        raise ValueError(
            f"no ARN is known for {', '.join(missing)}: give them, known are {', '.join(sorted(arns))}"
        )
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(grant.actions), "Resource": list(arns[grant.target])}
            for grant in grants
        ],
    }
