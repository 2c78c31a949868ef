"""IAM: roles, policies, attachments and OpenID Connect providers."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from local.plugins.aws.resource import ResourceType, tag_list, tag_map
from local.plugins.aws.session import Session, ignoring
from local.plugins.properties import Properties

_GONE = ("NoSuchEntity",)
_EXISTS = ("EntityAlreadyExists",)
_DEFAULT_PATH = "/"
_DEFAULT_SESSION_SECONDS = 3600
# IAM keeps five versions of a managed policy; a sixth is refused.
_POLICY_VERSIONS = 5


def _document(value: Any) -> str:
    """A policy document as text: boto3 decodes some of them."""
    return json.dumps(value) if isinstance(value, dict) else unquote(str(value))


def _set_tags(
    live: dict[str, str], wanted: dict[str, str], tag: Callable[..., Any], untag: Callable[..., Any]
) -> None:
    if unwanted := sorted(live.keys() - wanted.keys()):
        untag(TagKeys=unwanted)
    if wanted and wanted != live:
        tag(Tags=tag_list(wanted))


def _create_role(session: Session, inputs: Properties) -> str:
    name = str(inputs["name"])
    wanted = {
        "Path": inputs.get("path"),
        "Description": inputs.get("description"),
        "MaxSessionDuration": inputs.get("maxSessionDuration"),
        "PermissionsBoundary": inputs.get("permissionsBoundary"),
        "Tags": tag_list(inputs.get("tagsAll")) or None,
    }
    optional = {key: value for key, value in wanted.items() if value is not None}
    with ignoring(*_EXISTS):
        session.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"], **optional
        )
        return name
    _update_role(session, name, {}, inputs)
    return name


def _read_role(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    role: dict[str, Any] = {}
    with ignoring(*_GONE):
        role = session.iam.get_role(RoleName=identifier)["Role"]
    if not role:
        return None
    return {
        "arn": role["Arn"],
        "name": role["RoleName"],
        "path": role["Path"],
        "uniqueId": role["RoleId"],
        "createDate": role["CreateDate"].isoformat(),
        "assumeRolePolicy": _document(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description"),
        "maxSessionDuration": role.get("MaxSessionDuration", _DEFAULT_SESSION_SECONDS),
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "tagsAll": tag_map(role.get("Tags", [])),
    }


def _update_role(session: Session, identifier: str, old: Properties, new: Properties) -> None:
    iam = session.iam
    iam.update_assume_role_policy(RoleName=identifier, PolicyDocument=new["assumeRolePolicy"])
    iam.update_role(
        RoleName=identifier,
        Description=new.get("description", ""),
        MaxSessionDuration=new.get("maxSessionDuration", _DEFAULT_SESSION_SECONDS),
    )
    if boundary := new.get("permissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=identifier, PermissionsBoundary=boundary)
    elif old.get("permissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=identifier)
    _set_tags(
        tag_map(iam.list_role_tags(RoleName=identifier)["Tags"]),
        new.get("tagsAll", {}),
        lambda **tags: iam.tag_role(RoleName=identifier, **tags),
        lambda **tags: iam.untag_role(RoleName=identifier, **tags),
    )


def _delete_role(session: Session, identifier: str, state: Properties) -> None:
    iam = session.iam
    with ignoring(*_GONE):
        if state.get("forceDetachPolicies"):
            for policy in iam.list_attached_role_policies(RoleName=identifier)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=identifier, PolicyArn=policy["PolicyArn"])
            for name in iam.list_role_policies(RoleName=identifier)["PolicyNames"]:
                iam.delete_role_policy(RoleName=identifier, PolicyName=name)
        iam.delete_role(RoleName=identifier)


def _put_role_policy(session: Session, inputs: Properties) -> str:
    session.iam.put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{inputs['name']}"


def _read_role_policy(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    role, name = identifier.split(":", 1)
    with ignoring(*_GONE):
        found = session.iam.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": _document(found["PolicyDocument"])}
    return None


def _update_role_policy(session: Session, _identifier: str, _old: Properties, new: Properties) -> None:
    _put_role_policy(session, new)


def _delete_role_policy(session: Session, identifier: str, _state: Properties) -> None:
    role, name = identifier.split(":", 1)
    with ignoring(*_GONE):
        session.iam.delete_role_policy(RoleName=role, PolicyName=name)


def _create_policy(session: Session, inputs: Properties) -> str:
    path = inputs.get("path", _DEFAULT_PATH)
    with ignoring(*_EXISTS):
        answer = session.iam.create_policy(
            PolicyName=inputs["name"],
            Path=path,
            Description=inputs.get("description", ""),
            PolicyDocument=inputs["policy"],
            Tags=tag_list(inputs.get("tagsAll")),
        )
        return str(answer["Policy"]["Arn"])
    arn = f"arn:aws:iam::{session.caller()['Account']}:policy{path}{inputs['name']}"
    _update_policy(session, arn, {}, inputs)
    return arn


def _read_policy(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    found: dict[str, Any] = {}
    with ignoring(*_GONE):
        found = session.iam.get_policy(PolicyArn=identifier)["Policy"]
    if not found:
        return None
    version = session.iam.get_policy_version(PolicyArn=identifier, VersionId=found["DefaultVersionId"])
    return {
        "arn": found["Arn"],
        "name": found["PolicyName"],
        "path": found["Path"],
        "policyId": found["PolicyId"],
        "description": found.get("Description"),
        "attachmentCount": found.get("AttachmentCount", 0),
        "policy": _document(version["PolicyVersion"]["Document"]),
        "tagsAll": tag_map(session.iam.list_policy_tags(PolicyArn=identifier)["Tags"]),
    }


def _update_policy(session: Session, identifier: str, old: Properties, new: Properties) -> None:
    iam = session.iam
    if old.get("policy") != new["policy"]:
        versions = iam.list_policy_versions(PolicyArn=identifier)["Versions"]
        others = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        if len(versions) >= _POLICY_VERSIONS:
            iam.delete_policy_version(PolicyArn=identifier, VersionId=others[0]["VersionId"])
        iam.create_policy_version(PolicyArn=identifier, PolicyDocument=new["policy"], SetAsDefault=True)
    _set_tags(
        tag_map(iam.list_policy_tags(PolicyArn=identifier)["Tags"]),
        new.get("tagsAll", {}),
        lambda **tags: iam.tag_policy(PolicyArn=identifier, **tags),
        lambda **tags: iam.untag_policy(PolicyArn=identifier, **tags),
    )


def _delete_policy(session: Session, identifier: str, _state: Properties) -> None:
    iam = session.iam
    with ignoring(*_GONE):
        for version in iam.list_policy_versions(PolicyArn=identifier)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=identifier, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=identifier)


def _attach(session: Session, inputs: Properties) -> str:
    session.iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}"


def _read_attachment(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    role, arn = identifier.split("/", 1)
    with ignoring(*_GONE):
        pages = session.iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        if any(policy["PolicyArn"] == arn for page in pages for policy in page["AttachedPolicies"]):
            return {"role": role, "policyArn": arn}
    return None


def _detach(session: Session, identifier: str, _state: Properties) -> None:
    role, arn = identifier.split("/", 1)
    with ignoring(*_GONE):
        session.iam.detach_role_policy(RoleName=role, PolicyArn=arn)


def _create_oidc(session: Session, inputs: Properties) -> str:
    with ignoring(*_EXISTS):
        answer = session.iam.create_open_id_connect_provider(
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            ThumbprintList=inputs.get("thumbprintLists", []),
            Tags=tag_list(inputs.get("tagsAll")),
        )
        return str(answer["OpenIDConnectProviderArn"])
    host = str(inputs["url"]).removeprefix("https://").rstrip("/")
    arn = f"arn:aws:iam::{session.caller()['Account']}:oidc-provider/{host}"
    _update_oidc(session, arn, {}, inputs)
    return arn


def _read_oidc(session: Session, identifier: str, _inputs: Properties) -> Properties | None:
    found: dict[str, Any] = {}
    with ignoring(*_GONE):
        found = session.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=identifier)
    if not found:
        return None
    return {
        "arn": identifier,
        "url": found["Url"],
        "clientIdLists": sorted(found["ClientIDList"]),
        "thumbprintLists": found["ThumbprintList"],
        "tagsAll": tag_map(found.get("Tags", [])),
    }


def _update_oidc(session: Session, identifier: str, _old: Properties, new: Properties) -> None:
    iam = session.iam
    live = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=identifier)
    for client in set(new["clientIdLists"]) - set(live["ClientIDList"]):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=identifier, ClientID=client)
    for client in set(live["ClientIDList"]) - set(new["clientIdLists"]):
        iam.remove_client_id_from_open_id_connect_provider(
            OpenIDConnectProviderArn=identifier, ClientID=client
        )
    thumbprints = new.get("thumbprintLists", [])
    if thumbprints and thumbprints != live["ThumbprintList"]:
        iam.update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=identifier, ThumbprintList=thumbprints
        )
    _set_tags(
        tag_map(live.get("Tags", [])),
        new.get("tagsAll", {}),
        lambda **tags: iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=identifier, **tags),
        lambda **tags: iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=identifier, **tags),
    )


def _delete_oidc(session: Session, identifier: str, _state: Properties) -> None:
    with ignoring(*_GONE):
        session.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=identifier)


TYPES = {
    "aws:iam/role:Role": ResourceType(
        inputs=frozenset(
            {
                "assumeRolePolicy",
                "description",
                "forceDetachPolicies",
                "maxSessionDuration",
                "path",
                "permissionsBoundary",
            }
        ),
        create=_create_role,
        read=_read_role,
        update=_update_role,
        delete=_delete_role,
        replace_on=frozenset({"path"}),
        identity=frozenset({"name"}),
        name="name",
        computed=frozenset({"arn", "createDate", "uniqueId"}),
        settings=frozenset({"forceDetachPolicies"}),
        json=frozenset({"assumeRolePolicy"}),
        tagged=True,
        regional=False,
    ),
    "aws:iam/rolePolicy:RolePolicy": ResourceType(
        inputs=frozenset({"policy", "role"}),
        create=_put_role_policy,
        read=_read_role_policy,
        update=_update_role_policy,
        delete=_delete_role_policy,
        replace_on=frozenset({"role"}),
        identity=frozenset({"name", "role"}),
        name="name",
        json=frozenset({"policy"}),
        regional=False,
    ),
    "aws:iam/policy:Policy": ResourceType(
        inputs=frozenset({"description", "path", "policy"}),
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
        replace_on=frozenset({"description", "path"}),
        identity=frozenset({"name", "path"}),
        name="name",
        computed=frozenset({"arn", "attachmentCount", "policyId"}),
        json=frozenset({"policy"}),
        tagged=True,
        regional=False,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ResourceType(
        inputs=frozenset({"policyArn", "role"}),
        create=_attach,
        read=_read_attachment,
        delete=_detach,
        identity=frozenset({"policyArn", "role"}),
        regional=False,
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ResourceType(
        inputs=frozenset({"clientIdLists", "thumbprintLists", "url"}),
        create=_create_oidc,
        read=_read_oidc,
        update=_update_oidc,
        delete=_delete_oidc,
        replace_on=frozenset({"url"}),
        identity=frozenset({"url"}),
        computed=frozenset({"arn"}),
        tagged=True,
        regional=False,
    ),
}
