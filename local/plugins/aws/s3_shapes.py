"""Pulumi's camelCase shapes of S3 settings to the API's PascalCase ones, and back."""

from typing import Any

from local.plugins.aws.resource import tag_list, tag_map

# Where the API's spelling is not just a capital first letter.
_SPECIAL = {
    "id": "ID",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "replicaKmsKeyId": "ReplicaKmsKeyID",
    "sseAlgorithm": "SSEAlgorithm",
}
_SPECIAL_BACK = {value: key for key, value in _SPECIAL.items()}


def to_aws(value: Any) -> Any:
    """A setting as boto3 takes it; ``tags`` maps become lists of keys and values."""
    if isinstance(value, dict):
        return {
            _SPECIAL.get(key, key[:1].upper() + key[1:]): tag_list(item) if key == "tags" else to_aws(item)
            for key, item in value.items()
        }
    return [to_aws(item) for item in value] if isinstance(value, list) else value


def from_aws(value: Any) -> Any:
    """A setting as Pulumi has it."""
    if isinstance(value, dict):
        return {
            _SPECIAL_BACK.get(key, key[:1].lower() + key[1:]): tag_map(item)
            if key == "Tags"
            else from_aws(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [from_aws(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
