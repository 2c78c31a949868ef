"""KMS: keys and aliases."""

from typing import Any

from local.plugins.aws.resource import ResourceType, tag_list, tag_map
from local.plugins.aws.session import Session, ignoring
from local.plugins.properties import Properties

_GONE = ("NotFoundException",)


def _create_key(session: Session, inputs: Properties) -> str:
    wanted = {
        "Description": inputs.get("description", "Managed by Pulumi"),
        "KeyUsage": inputs.get("keyUsage", "ENCRYPT_DECRYPT"),
        "KeySpec": inputs.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        "Policy": inputs.get("policy"),
        "MultiRegion": inputs.get("multiRegion"),
        "BypassPolicyLockoutSafetyCheck": inputs.get("bypassPolicyLockoutSafetyCheck"),
        "Tags": tag_list(inputs.get("tagsAll"), "TagKey", "TagValue") or None,
    }
    answer = session.kms.create_key(**{key: value for key, value in wanted.items() if value is not None})
    identifier = str(answer["KeyMetadata"]["KeyId"])
    _set_rotation(session, identifier, inputs)
    if inputs.get("isEnabled") is False:
        session.kms.disable_key(KeyId=identifier)
    return identifier


def _set_rotation(session: Session, identifier: str, inputs: Properties) -> None:
    if inputs.get("enableKeyRotation"):
        days = inputs.get("rotationPeriodInDays")
        session.kms.enable_key_rotation(KeyId=identifier, **({"RotationPeriodInDays": days} if days else {}))


def _read_key(session: Session, identifier: str, inputs: Properties) -> Properties | None:
    found: dict[str, Any] = {}
    with ignoring(*_GONE):
        found = session.kms.describe_key(KeyId=identifier)["KeyMetadata"]
    if not found or found["KeyState"] in {"PendingDeletion", "PendingReplicaDeletion"}:
        return None
    symmetric = found.get("KeySpec") == "SYMMETRIC_DEFAULT"
    rotation = (
        session.kms.get_key_rotation_status(KeyId=identifier) if symmetric else {"KeyRotationEnabled": False}
    )
    tags = session.kms.list_resource_tags(KeyId=identifier)["Tags"]
    enabled = rotation["KeyRotationEnabled"]
    return {
        "arn": found["Arn"],
        "keyId": found["KeyId"],
        "description": found.get("Description", ""),
        "keyUsage": found["KeyUsage"],
        "customerMasterKeySpec": found.get("KeySpec"),
        "isEnabled": found["Enabled"],
        "multiRegion": found.get("MultiRegion", False),
        "enableKeyRotation": enabled,
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays") if enabled else None,
        "policy": session.kms.get_key_policy(KeyId=identifier, PolicyName="default")["Policy"],
        "tagsAll": tag_map(tags, "TagKey", "TagValue"),
        "deletionWindowInDays": inputs.get("deletionWindowInDays"),
    }


def _update_key(session: Session, identifier: str, old: Properties, new: Properties) -> None:
    kms = session.kms
    if "description" in new:
        kms.update_key_description(KeyId=identifier, Description=new["description"])
    if "policy" in new:
        kms.put_key_policy(KeyId=identifier, PolicyName="default", Policy=new["policy"])
    if new.get("enableKeyRotation"):
        _set_rotation(session, identifier, new)
    elif old.get("enableKeyRotation"):
        kms.disable_key_rotation(KeyId=identifier)
    if new.get("isEnabled", True):
        kms.enable_key(KeyId=identifier)
    else:
        kms.disable_key(KeyId=identifier)
    live = tag_map(kms.list_resource_tags(KeyId=identifier)["Tags"], "TagKey", "TagValue")
    wanted = new.get("tagsAll", {})
    if unwanted := sorted(live.keys() - wanted.keys()):
        kms.untag_resource(KeyId=identifier, TagKeys=unwanted)
    if wanted != live and wanted:
        kms.tag_resource(KeyId=identifier, Tags=tag_list(wanted, "TagKey", "TagValue"))


def _delete_key(session: Session, identifier: str, state: Properties) -> None:
    # 30 days: what AWS takes if nothing is said.
    with ignoring(*_GONE, "KMSInvalidStateException"):
        session.kms.schedule_key_deletion(
            KeyId=identifier, PendingWindowInDays=state.get("deletionWindowInDays") or 30
        )


def _create_alias(session: Session, inputs: Properties) -> str:
    name = str(inputs["name"])
    if _find_alias(session, name) is None:
        session.kms.create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
    else:
        session.kms.update_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
    return name


def _find_alias(session: Session, name: str) -> dict[str, Any] | None:
    pages = session.kms.get_paginator("list_aliases").paginate()
    return next((alias for page in pages for alias in page["Aliases"] if alias["AliasName"] == name), None)


def _read_alias(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    found = _find_alias(session, identifier)
    if found is None:
        return None
    account_arn = found["AliasArn"].rsplit(":", 1)[0]
    return {
        "arn": found["AliasArn"],
        "name": found["AliasName"],
        "targetKeyId": found["TargetKeyId"],
        "targetKeyArn": f"{account_arn}:key/{found['TargetKeyId']}",
    }


def _update_alias(session: Session, identifier: str, _old: Properties, new: Properties) -> None:
    session.kms.update_alias(AliasName=identifier, TargetKeyId=new["targetKeyId"])


def _delete_alias(session: Session, identifier: str, _state: Properties) -> None:
    with ignoring(*_GONE):
        session.kms.delete_alias(AliasName=identifier)


TYPES = {
    "aws:kms/key:Key": ResourceType(
        inputs=frozenset(
            {
                "bypassPolicyLockoutSafetyCheck",
                "customerMasterKeySpec",
                "deletionWindowInDays",
                "description",
                "enableKeyRotation",
                "isEnabled",
                "keyUsage",
                "multiRegion",
                "policy",
                "rotationPeriodInDays",
            }
        ),
        create=_create_key,
        read=_read_key,
        update=_update_key,
        delete=_delete_key,
        replace_on=frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion"}),
        computed=frozenset({"arn", "keyId"}),
        settings=frozenset({"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"}),
        json=frozenset({"policy"}),
        tagged=True,
    ),
    "aws:kms/alias:Alias": ResourceType(
        inputs=frozenset({"targetKeyId"}),
        create=_create_alias,
        read=_read_alias,
        update=_update_alias,
        delete=_delete_alias,
        identity=frozenset({"name"}),
        name="name",
        name_prefix="alias/",
        computed=frozenset({"arn", "targetKeyArn"}),
    ),
}
