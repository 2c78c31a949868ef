"""The AWS stand-in on the real engine: every resource type, over its whole life."""

import json
from typing import Any

import pytest

from tests.plugins.harness import ACCOUNT, Platform, Stack

pytestmark = pytest.mark.engine

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
days = config.get_int("days") or 30
name = config.get("name") or "day2-evidence"

provider = aws.Provider(
    "main",
    region="eu-central-1",
    allowed_account_ids=["123456789012"],
    s3_use_path_style=True,
    default_tags=aws.ProviderDefaultTagsArgs(tags={"owner": config.get("owner") or "platform"}),
)
opts = pulumi.ResourceOptions(provider=provider)

role = aws.iam.Role(
    "role",
    name="replication",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["sts:AssumeRole"],
                    "Principal": {"Service": "s3.amazonaws.com"},
                }
            ],
        }
    ),
    opts=opts,
)
document = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)
aws.iam.RolePolicy("inline", role=role.name, policy=document, opts=opts)
policy = aws.iam.Policy("managed", name="managed", policy=document, opts=opts)
aws.iam.RolePolicyAttachment("attachment", role=role.name, policy_arn=policy.arn, opts=opts)
oidc = aws.iam.OpenIdConnectProvider(
    "oidc", url="https://oidc.example.com/id/1", client_id_lists=["sts.amazonaws.com"], opts=opts
)

signing = aws.kms.Key(
    "signing",
    key_usage="SIGN_VERIFY",
    customer_master_key_spec="RSA_4096",
    deletion_window_in_days=7,
    description="signs evidence",
    opts=opts,
)
encryption = aws.kms.Key("encryption", enable_key_rotation=True, tags={"use": "encryption"}, opts=opts)
alias = aws.kms.Alias("alias", name="alias/signing", target_key_id=signing.key_id, opts=opts)


def bucket(label, bucket_name, region):
    made = aws.s3.Bucket(
        label,
        bucket=bucket_name,
        region=region,
        object_lock_enabled=True,
        force_destroy=True,
        tags={"tier": "1"},
        opts=opts,
    )
    at = {"bucket": made.bucket, "region": region}
    versioning = aws.s3.BucketVersioning(
        f"{label}-versioning",
        versioning_configuration={"status": "Enabled"},
        opts=opts,
        **at,
    )
    aws.s3.BucketObjectLockConfiguration(
        f"{label}-lock", rule={"default_retention": {"mode": "GOVERNANCE", "days": days}}, opts=opts, **at
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{label}-encryption",
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": encryption.arn,
                },
                "bucket_key_enabled": True,
            }
        ],
        opts=opts,
        **at,
    )
    aws.s3.BucketPublicAccessBlock(
        f"{label}-public",
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
        **at,
    )
    aws.s3.BucketOwnershipControls(
        f"{label}-ownership", rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts, **at
    )
    aws.s3.BucketPolicy(
        f"{label}-policy",
        policy=made.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:PutBucketWebsite",
                            "Resource": [arn, f"{arn}/*"],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                }
            )
        ),
        opts=opts,
        **at,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{label}-lifecycle",
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": 90},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                "transitions": [{"days": 30, "storage_class": "GLACIER"}],
            }
        ],
        opts=opts,
        **at,
    )
    return made, versioning


source, source_versioning = bucket("source", name, None)
target, target_versioning = bucket("target", f"{name}-replica", "eu-west-1")
aws.s3.BucketReplicationConfig(
    "replication",
    bucket=source.bucket,
    role=role.arn,
    rules=[
        {
            "id": "all",
            "priority": 1,
            "status": "Enabled",
            "filter": {"prefix": ""},
            "delete_marker_replication": {"status": "Enabled"},
            "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
            "destination": {
                "bucket": target.arn,
                "encryption_configuration": {"replica_kms_key_id": encryption.arn},
            },
        }
    ],
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[source_versioning, target_versioning]),
)

pulumi.export("bucket", source.arn)
pulumi.export("tags", source.tags_all)
pulumi.export("signing", signing.key_id)
pulumi.export("alias", alias.arn)
pulumi.export("oidc", oidc.arn)
pulumi.export("account", aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).account_id)
pulumi.export("region", aws.get_region(opts=pulumi.InvokeOptions(provider=provider)).region)
"""


def left_over(platform: Platform) -> list[str]:
    s3, kms, iam = platform.aws("s3"), platform.aws("kms", "eu-central-1"), platform.aws("iam")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    return [
        *(bucket["Name"] for bucket in s3.list_buckets()["Buckets"]),
        *(
            key["KeyId"]
            for key in keys
            if key["KeyState"] != "PendingDeletion" and key["KeyManager"] == "CUSTOMER"
        ),
        *(
            alias["AliasName"]
            for alias in kms.list_aliases()["Aliases"]
            if not alias["AliasName"].startswith("alias/aws/")
        ),
        *(role["RoleName"] for role in iam.list_roles()["Roles"]),
        *(policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        *(item["Arn"] for item in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]),
    ]


def test_the_evidence_resources_live_through_up_drift_replacement_and_destroy(
    stack: Stack, platform: Platform
) -> None:
    s3, kms, iam = (
        platform.aws("s3", "eu-central-1"),
        platform.aws("kms", "eu-central-1"),
        platform.aws("iam"),
    )
    stack.write(PROGRAM)

    assert "to create" in stack.preview().stdout
    assert not left_over(platform), "a preview makes nothing"

    stack.up()
    outputs = stack.outputs()
    assert outputs["bucket"] == "arn:aws:s3:::day2-evidence"
    assert outputs["tags"] == {"owner": "platform", "tier": "1"}
    assert outputs["alias"] == f"arn:aws:kms:eu-central-1:{ACCOUNT}:alias/signing"
    assert (outputs["account"], outputs["region"]) == (ACCOUNT, "eu-central-1")
    lock = s3.get_object_lock_configuration(Bucket="day2-evidence")["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Days"] == 30
    replica = s3.get_bucket_location(Bucket="day2-evidence-replica")["LocationConstraint"]
    assert replica == "eu-west-1", "the region of a resource goes before that of its provider"
    key = kms.describe_key(KeyId=outputs["signing"])["KeyMetadata"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("RSA_4096", "SIGN_VERIFY")

    stack.up("--expect-no-changes")
    assert stack.drift() == {}

    s3.put_bucket_tagging(
        Bucket="day2-evidence",
        Tagging={"TagSet": [{"Key": "tier", "Value": "1"}, {"Key": "x", "Value": "y"}]},
    )
    s3.delete_bucket_policy(Bucket="day2-evidence")
    open_document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    iam.put_role_policy(
        RoleName="replication", PolicyName=inline(iam), PolicyDocument=json.dumps(open_document)
    )
    kms.disable_key_rotation(KeyId=encryption_key(kms))
    assert stack.drift() == {
        "source": "update",
        "source-policy": "delete",
        "inline": "update",
        "encryption": "update",
    }
    stack.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert stack.drift() == {}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket="day2-evidence")["Policy"]
    tags = s3.get_bucket_tagging(Bucket="day2-evidence")["TagSet"]
    assert {tag["Key"] for tag in tags} == {"owner", "tier"}

    stack.configure(days="10")
    stack.configure(owner="other")
    stack.up()
    lock = s3.get_object_lock_configuration(Bucket="day2-evidence")["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Days"] == 10
    assert iam.list_role_tags(RoleName="replication")["Tags"] == [{"Key": "owner", "Value": "other"}]

    assert s3.put_object(Bucket="day2-evidence", Key="locked", Body=b"evidence")["VersionId"]
    stack.configure(name="day2-renamed")
    stack.up()
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert names == {"day2-renamed", "day2-renamed-replica"}, (
        "a new name replaces the bucket, locked versions and all"
    )
    assert s3.get_bucket_replication(Bucket="day2-renamed")["ReplicationConfiguration"]["Rules"]

    stack.destroy()
    assert left_over(platform) == []


def inline(iam: Any) -> str:
    return str(iam.list_role_policies(RoleName="replication")["PolicyNames"][0])


def encryption_key(kms: Any) -> str:
    found = kms.list_keys()["Keys"]
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in found]
    return next(str(key["KeyId"]) for key in keys if key["KeySpec"] == "SYMMETRIC_DEFAULT" and key["Enabled"])
