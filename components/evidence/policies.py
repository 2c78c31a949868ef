"""IAM, bucket and key policy documents of the evidence store, as plain data."""

from __future__ import annotations

from typing import Any

Policy = dict[str, Any]
"""An IAM policy document."""

_VERSION = "2012-10-17"


def tls_only(bucket_arn: str) -> Policy:
    """A bucket policy that refuses every request that is not encrypted in transit.

    Args:
        bucket_arn: ARN of the bucket.
    """
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def account_key_policy(account_id: str) -> Policy:
    """A key policy that leaves rights to the account's IAM policies (the default of KMS).

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html

    Args:
        account_id: The account.
    """
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Sid": "IamPoliciesOfTheAccount",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }


def replication_trust(account_id: str) -> Policy:
    """Who may assume the replication role: S3, for this account only.

    Args:
        account_id: The account.
    """
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
            }
        ],
    }


def replication_permissions(
    *, source_arn: str, source_key_arn: str, replica_arn: str, replica_key_arn: str
) -> Policy:
    """What S3 needs to replicate locked, encrypted versions.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html

    Args:
        source_arn: ARN of the bucket that is written to.
        source_key_arn: ARN of the key that encrypts it.
        replica_arn: ARN of the bucket that gets the copies.
        replica_key_arn: ARN of the key that encrypts the copies.
    """
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                "Resource": [source_arn],
            },
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetObjectVersionForReplication",
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionTagging",
                    "s3:GetObjectRetention",
                    "s3:GetObjectLegalHold",
                ],
                "Resource": [f"{source_arn}/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
                "Resource": [f"{replica_arn}/*"],
            },
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [source_key_arn]},
            {"Effect": "Allow", "Action": ["kms:Encrypt"], "Resource": [replica_key_arn]},
        ],
    }
