"""EvidenceStore: where a region's signed evidence is kept, twice, and the key that signs it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.context import Context
from components.evidence.locked_bucket import LockedBucket, LockedBucketArgs
from components.evidence.policies import account_key_policy, replication_permissions, replication_trust
from components.naming import IAM_ROLE_NAME_CHARACTERS, S3_BUCKET_NAME_CHARACTERS, safe_name
from components.tags import aws_tags

_DELETION_WINDOW_DAYS = 30
_SUFFIX_BYTES = 4
_SUFFIX_CHARACTERS = 1 + 2 * _SUFFIX_BYTES


@dataclass(frozen=True, kw_only=True)
class EvidenceStoreArgs:
    """What EvidenceStore needs.

    Attributes:
        context: Where it stands.
        replica_region: AWS region of the second copy, under the same residency rules.
        retention_days: Days for which no version can be deleted.
        lock_mode: GOVERNANCE or COMPLIANCE.
        force_destroy: Whether destroying the store deletes the evidence and its keys; otherwise they stay
            in the account, out of the program's hands.

    Raises:
        ValueError: The replica would lie in the same region.
    """

    context: Context
    replica_region: str
    retention_days: int
    lock_mode: str
    force_destroy: bool = False

    def __post_init__(self) -> None:
        if self.replica_region == self.context.region:
            raise ValueError(
                f"replica_region is {self.replica_region}, the store's own region: choose another"
            )


class EvidenceStore(pulumi.ComponentResource):
    """Two locked buckets, replication from one to the other, and an RSA-4096 signing key.

    Example:
        >>> store = EvidenceStore(
        ...     "eu-central-1-evidence",
        ...     EvidenceStoreArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...         replica_region="eu-west-1",
        ...         retention_days=365,
        ...         lock_mode="GOVERNANCE",
        ...     ),
        ... )
    """

    bucket_name: pulumi.Output[str]
    """Name of the bucket that evidence is written to."""
    bucket_arn: pulumi.Output[str]
    """Its ARN."""
    encryption_key_arn: pulumi.Output[str]
    """ARN of the key that encrypts it."""
    replica_bucket_name: pulumi.Output[str]
    """Name of the bucket that holds the copies."""
    replica_bucket_arn: pulumi.Output[str]
    """Its ARN."""
    signing_key_arn: pulumi.Output[str]
    """ARN of the RSA-4096 key that signs evidence."""

    def __init__(
        self, name: str, args: EvidenceStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("day2:evidence:EvidenceStore", name, None, opts)
        # Bucket names are taken in all of AWS, and a destroyed stack's locked bucket keeps its own.
        suffix = random.RandomId(
            f"{name}-suffix", byte_length=_SUFFIX_BYTES, opts=pulumi.ResourceOptions(parent=self)
        )
        source = self._bucket(f"{name}-primary", "evidence", args.context.region, args, suffix)
        replica = self._bucket(f"{name}-replica", "evidence-copy", args.replica_region, args, suffix)
        self._replicate(name, args.context, source, replica)
        self.signing_key_arn = self._signing_key(name, args)
        self.bucket_name, self.bucket_arn = source.bucket_name, source.bucket_arn
        self.encryption_key_arn = source.key_arn
        self.replica_bucket_name, self.replica_bucket_arn = replica.bucket_name, replica.bucket_arn
        self.register_outputs(
            {
                "bucket_name": self.bucket_name,
                "bucket_arn": self.bucket_arn,
                "encryption_key_arn": self.encryption_key_arn,
                "replica_bucket_name": self.replica_bucket_name,
                "replica_bucket_arn": self.replica_bucket_arn,
                "signing_key_arn": self.signing_key_arn,
            }
        )

    def _bucket(
        self, name: str, purpose: str, region: str, args: EvidenceStoreArgs, suffix: random.RandomId
    ) -> LockedBucket:
        prefix = safe_name(
            "day2",
            args.context.environment,
            purpose,
            args.context.region,
            limit=S3_BUCKET_NAME_CHARACTERS - _SUFFIX_CHARACTERS,
        )
        return LockedBucket(
            name,
            LockedBucketArgs(
                context=args.context,
                bucket_region=region,
                bucket_name=suffix.hex.apply(lambda hexadecimal: f"{prefix}-{hexadecimal}"),
                retention_days=args.retention_days,
                lock_mode=args.lock_mode,
                force_destroy=args.force_destroy,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _replicate(self, name: str, context: Context, source: LockedBucket, replica: LockedBucket) -> None:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-replication-role",
            name=safe_name(
                "day2", context.environment, context.region, "replication", limit=IAM_ROLE_NAME_CHARACTERS
            ),
            description=f"S3 replication of the evidence of {context.environment} in {context.region}",
            assume_role_policy=pulumi.Output.json_dumps(replication_trust(context.account_id)),
            tags=aws_tags(context, "evidence"),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-replication-permissions",
            name="replication",
            role=role.name,
            policy=pulumi.Output.json_dumps(
                pulumi.Output.all(
                    source_arn=source.bucket_arn,
                    source_key_arn=source.key_arn,
                    replica_arn=replica.bucket_arn,
                    replica_key_arn=replica.key_arn,
                ).apply(lambda arns: replication_permissions(**arns))
            ),
            opts=child,
        )
        aws.s3.BucketReplicationConfig(
            f"{name}-replication",
            region=context.region,
            bucket=source.bucket_name,
            role=role.arn,
            rules=[
                {
                    "id": "all-evidence",
                    "status": "Enabled",
                    "priority": 0,
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Disabled"},
                    "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
                    "destination": {
                        "bucket": replica.bucket_arn,
                        "encryption_configuration": {"replica_kms_key_id": replica.key_arn},
                    },
                }
            ],
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[source.versioning, replica.versioning, permissions]
            ),
        )

    def _signing_key(self, name: str, args: EvidenceStoreArgs) -> pulumi.Output[str]:
        context = args.context
        key = aws.kms.Key(
            f"{name}-signing-key",
            region=context.region,
            description=f"Signs the evidence of {context.environment} in {context.region}",
            key_usage="SIGN_VERIFY",
            customer_master_key_spec="RSA_4096",
            deletion_window_in_days=_DELETION_WINDOW_DAYS,
            policy=pulumi.Output.json_dumps(account_key_policy(context.account_id)),
            tags=aws_tags(context, "evidence"),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=not args.force_destroy),
        )
        aws.kms.Alias(
            f"{name}-signing-key-alias",
            region=context.region,
            name=f"alias/{safe_name('day2', context.environment, 'evidence', context.region)}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key.arn
