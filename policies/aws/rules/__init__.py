"""One rule a file, named by the resource and what is asked of it."""

from policies.aws.rules.iam_no_wildcard import IAM_NO_WILDCARD
from policies.aws.rules.s3_evidence_object_lock import S3_EVIDENCE_OBJECT_LOCK
from policies.aws.rules.s3_public_access_blocked import S3_PUBLIC_ACCESS_BLOCKED

RULES = (IAM_NO_WILDCARD, S3_EVIDENCE_OBJECT_LOCK, S3_PUBLIC_ACCESS_BLOCKED)
"""All rules of the pack."""
