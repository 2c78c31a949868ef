"""LockedBucket: an S3 bucket whose versions can't be changed or deleted for a time."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.context import Context
from components.evidence.policies import account_key_policy, tls_only
from components.tags import aws_tags

_DELETION_WINDOW_DAYS = 30
_INCOMPLETE_UPLOAD_DAYS = 7
_COLD_AFTER_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class LockedBucketArgs:
    """What LockedBucket needs.

    Attributes:
        context: Where it stands.
        bucket_region: AWS region of the bucket, which may be another than the context's.
        bucket_name: Name of the bucket, unique in all of AWS.
        retention_days: Days for which a version can't be deleted.
        lock_mode: GOVERNANCE or COMPLIANCE.
        force_destroy: Whether destroying the component deletes bucket, key and what is in them; otherwise it
            leaves them as they are, since evidence without its key can't be read.

    Raises:
        ValueError: A number or mode that S3 would refuse.
    """

    context: Context
    bucket_region: str
    bucket_name: pulumi.Input[str]
    retention_days: int
    lock_mode: str
    force_destroy: bool = False

    def __post_init__(self) -> None:
        if self.retention_days < 1:
            raise ValueError(f"retention_days is {self.retention_days}: write 1 or more")
        if self.lock_mode not in ("GOVERNANCE", "COMPLIANCE"):
            raise ValueError(f"lock_mode is {self.lock_mode!r}: write GOVERNANCE or COMPLIANCE")


class LockedBucket(pulumi.ComponentResource):
    """A versioned bucket with Object Lock, its own key, TLS only, and no public access.

    Example:
        >>> bucket = LockedBucket(
        ...     "archive",
        ...     LockedBucketArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...         bucket_region="eu-west-1",
        ...         bucket_name="day2-docs-archive",
        ...         retention_days=730,
        ...         lock_mode="GOVERNANCE",
        ...     ),
        ... )
    """

    bucket_name: pulumi.Output[str]
    """Name of the bucket."""
    bucket_arn: pulumi.Output[str]
    """ARN of the bucket."""
    key_arn: pulumi.Output[str]
    """ARN of the key that encrypts it."""
    versioning: pulumi.Resource
    """What replication has to wait for."""

    def __init__(self, name: str, args: LockedBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("day2:evidence:LockedBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=not args.force_destroy)
        tags = aws_tags(args.context, "evidence")
        key = aws.kms.Key(
            f"{name}-key",
            region=args.bucket_region,
            description=f"Encrypts the evidence of {args.context.environment} in {args.context.region}",
            enable_key_rotation=True,
            deletion_window_in_days=_DELETION_WINDOW_DAYS,
            policy=pulumi.Output.json_dumps(account_key_policy(args.context.account_id)),
            tags=tags,
            opts=child,
        )
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            region=args.bucket_region,
            bucket=args.bucket_name,
            object_lock_enabled=True,
            force_destroy=args.force_destroy,
            tags=tags,
            opts=child,
        )
        self.versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            region=args.bucket_region,
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        _protect(name, args, bucket, key, child)
        _lock(name, args, bucket, _after(child, self.versioning))
        self.bucket_name = bucket.bucket
        self.bucket_arn = bucket.arn
        self.key_arn = key.arn
        self.register_outputs(
            {"bucket_name": self.bucket_name, "bucket_arn": self.bucket_arn, "key_arn": self.key_arn}
        )


def _protect(
    name: str, args: LockedBucketArgs, bucket: aws.s3.Bucket, key: aws.kms.Key, opts: pulumi.ResourceOptions
) -> None:
    """Encryption at rest and in transit, one owner, nothing public."""
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        region=args.bucket_region,
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": key.arn,
                },
                "bucket_key_enabled": True,
            }
        ],
        opts=opts,
    )
    public_access = aws.s3.BucketPublicAccessBlock(
        f"{name}-public-access",
        region=args.bucket_region,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    aws.s3.BucketOwnershipControls(
        f"{name}-ownership",
        region=args.bucket_region,
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=opts,
    )
    aws.s3.BucketPolicy(
        f"{name}-policy",
        region=args.bucket_region,
        bucket=bucket.bucket,
        policy=bucket.arn.apply(lambda arn: json.dumps(tls_only(arn))),
        # S3 refuses one while the other is still being written.
        opts=_after(opts, public_access),
    )


def _after(opts: pulumi.ResourceOptions, resource: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[resource]))


def _lock(name: str, args: LockedBucketArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    """How long versions can't be deleted. Nothing expires: a chain is verified from its first record."""
    aws.s3.BucketObjectLockConfiguration(
        f"{name}-lock",
        region=args.bucket_region,
        bucket=bucket.bucket,
        rule={"default_retention": {"mode": args.lock_mode, "days": args.retention_days}},
        opts=opts,
    )
    rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "evidence",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "transitions": [{"days": _COLD_AFTER_DAYS, "storage_class": "STANDARD_IA"}],
        "abort_incomplete_multipart_upload": {"days_after_initiation": _INCOMPLETE_UPLOAD_DAYS},
    }
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle", region=args.bucket_region, bucket=bucket.bucket, rules=[rule], opts=opts
    )
