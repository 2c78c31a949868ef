"""IAM enforcement in the emulator: mends moto so that least-privilege policies can be tried for real.

moto checks signatures and identity policies once `/moto-api/reset-auth` is told to, but 5.2.5
- asks for credentials on AssumeRoleWithWebIdentity, which AWS takes without any;
- passes the resource `*` for most services, so that a statement naming a KMS key never matches;
- judges conditions wrongly (see `local.emulator.policy`), even in bucket policies and with enforcement off;
- knows neither the S3 actions of encryption, replication, object lock and retention, nor that a write
  with retention, tags or a KMS key needs a permission for each;
- does not check HeadObject at all.

Still missing: permission boundaries, service control policies, session policies, the trust policy of a web
identity (no token is verified), presigned URLs, Allow by a bucket policy alone, policies of KMS keys.
Where the emulator cannot tell the resource (services other than S3, KMS, IAM, STS, SQS, Secrets Manager,
unless the request carries an ARN), it judges the action alone.

The access key `local` stands for the account's root user: it may do everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import flask
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import (
    AccessDeniedError,
    InvalidClientTokenIdError,
    JsonRESTError,
    SignatureDoesNotMatchError,
)
from moto.iam.access_control import IAMPolicyStatement, IAMRequest, PermissionResult
from moto.kms.models import kms_backends
from moto.s3 import responses as s3_responses
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from local.emulator.client import ROOT_ACCESS_KEY
from local.emulator.policy import ANY_RESOURCE, effect_of

# As in AWS: whoever calls these has no credentials yet.
_UNSIGNED_ACTIONS = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})

_RESULTS = {
    "Allow": PermissionResult.PERMITTED,
    "Deny": PermissionResult.DENIED,
    None: PermissionResult.NEUTRAL,
}

# Query parameter -> IAM action that moto's table lacks (AWS: "Actions, resources and condition keys for S3").
_BUCKET_ACTIONS = {
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
}
_OBJECT_ACTIONS = {"legal-hold": "ObjectLegalHold", "retention": "ObjectRetention"}

# A request header of an object write -> the permission it needs besides s3:PutObject.
_WRITE_HEADERS = {
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
}


_JSON_ERRORS = {
    AccessDeniedError: "AccessDeniedException",
    InvalidClientTokenIdError: "UnrecognizedClientException",
    SignatureDoesNotMatchError: "InvalidSignatureException",
}


def install() -> None:
    """Replace moto's judgement by ours, in this process."""
    authenticator: Any = ActionAuthenticatorMixin
    authenticator._authenticate_and_authorize_action = _authorize  # noqa: SLF001 moto has no hook for it
    statement: Any = IAMPolicyStatement
    statement.is_action_permitted = _judge_statement
    _complete_s3_actions()
    _check_head_object()


def _complete_s3_actions() -> None:
    table = s3_responses.ACTION_MAP
    table["BUCKET"]["HEAD"]["DEFAULT"] = "ListBucket"
    table["KEY"]["HEAD"]["versionId"] = "GetObjectVersion"
    for methods, names in ((table["BUCKET"], _BUCKET_ACTIONS), (table["KEY"], _OBJECT_ACTIONS)):
        for parameter, noun in names.items():
            methods["GET"][parameter] = f"Get{noun}"
            methods["PUT"][parameter] = f"Put{noun}"
            # AWS has no Delete actions for these: deleting is putting nothing.
            methods["DELETE"][parameter] = f"Put{noun}"


def _check_head_object() -> None:
    s3_response: Any = s3_responses.S3Response
    head_object = s3_response.head_object

    def checked(self: Any, bucket_name: str, query: dict[str, Any], key_name: str, headers: Any) -> Any:
        self._set_action("KEY", "HEAD", query)
        self._authenticate_and_authorize_s3_action(bucket_name=bucket_name, key_name=key_name)
        return head_object(self, bucket_name, query, key_name, headers)

    s3_response.head_object = checked


def _authorize(self: Any, request_class: type, resource: str = ANY_RESOURCE) -> None:
    """Let a request pass or raise; `self` is the moto response object that answers it."""
    if ActionAuthenticatorMixin.request_count < settings.INITIAL_NO_AUTH_ACTION_COUNT:
        ActionAuthenticatorMixin.request_count += 1
        return
    action = self._get_action()
    if action in _UNSIGNED_ACTIONS:
        return
    authorization = self.headers.get("Authorization", "")
    if "Credential=" not in authorization:
        if request_class is IAMRequest:
            raise AccessDeniedError(user_arn="anonymous", action=action)
        raise S3AccessDeniedError
    if authorization.partition("Credential=")[2].split("/")[0] == ROOT_ACCESS_KEY:
        return
    try:
        _check(self, request_class, action, resource)
    except (AccessDeniedError, InvalidClientTokenIdError, SignatureDoesNotMatchError) as error:
        if "X-Amz-Target" not in self.headers:
            raise
        # JSON services answer in JSON, with names of their own.
        raise JsonRESTError(_JSON_ERRORS[type(error)], error.message) from error


def _check(response: Any, request_class: type, action: str, resource: str) -> None:
    """Check signature and permissions of a signed request with moto's own request object."""
    query = response.parsed_url.query
    request: Any = request_class(
        account_id=response.current_account,
        method=response.method,
        path=response.raw_path + (f"?{query}" if query else ""),
        data=response.data,
        body=response.raw_body,
        headers=response.headers,
        action=action,
    )
    request.check_signature()
    if request_class is IAMRequest:
        request.check_action_permitted(_resource_of(response) if resource == ANY_RESOURCE else resource)
        return
    try:
        request.check_action_permitted(resource)
        for needed, on in _permissions_besides(response, action, resource):
            request._action = needed  # noqa: SLF001 one request, several permissions
            request.check_action_permitted(on)
    except S3AccessDeniedError as error:
        # AWS names both too; without them nobody finds the permission that is missing.
        caller, denied = request._access_key.arn, request._action  # noqa: SLF001 moto has no accessors
        error.message = f"User: {caller} is not authorized to perform: {denied}"
        raise


def _resource_of(response: Any) -> str:
    """The ARN that a request of a JSON or query service acts on."""
    try:
        parameters = json.loads(response.body or "{}")
    except (TypeError, ValueError):
        parameters = {name: values[0] for name, values in response.querystring.items() if values}
    if not isinstance(parameters, dict):
        return ANY_RESOURCE
    if response.service_name == "kms" and "KeyId" in parameters:
        return _key_arn(response.current_account, response.region, str(parameters["KeyId"]))
    if response.service_name == "secretsmanager" and "SecretId" in parameters:
        return _secret_arn(response, str(parameters["SecretId"]))
    arns = [value for value in parameters.values() if isinstance(value, str) and value.startswith("arn:")]
    return arns[0] if arns else ANY_RESOURCE


def _key_arn(account: str, region: str, key: str) -> str:
    """The ARN of a KMS key given by id, ARN or alias."""
    if key.startswith("arn:") and ":key/" in key:
        return key
    key_id = kms_backends[account][region].any_id_to_key_id(key)
    return f"arn:{get_partition(region)}:kms:{region}:{account}:key/{key_id}"


def _secret_arn(response: Any, secret: str) -> str:
    if secret.startswith("arn:"):
        return secret
    stored = response.backend.secrets.get(secret)
    prefix = f"arn:{response.partition}:secretsmanager:{response.region}:{response.current_account}:secret:"
    return stored.arn if stored else f"{prefix}{secret}"


def _permissions_besides(response: Any, action: str, resource: str) -> Iterator[tuple[str, str]]:
    """What an S3 object request needs besides its own action: (action, resource)."""
    headers = response.headers
    if action == "PutObject":
        for header, needed in _WRITE_HEADERS.items():
            if headers.get(header):
                yield needed, resource
        key = _encryption_key_for_write(response)
        if key:
            yield "kms:GenerateDataKey", key
    if action in {"GetObject", "GetObjectVersion"} and response.method == "GET":
        key = _encryption_key_of_object(response)
        if key:
            yield "kms:Decrypt", key
    if action.startswith("DeleteObject") and headers.get("x-amz-bypass-governance-retention"):
        yield "s3:BypassGovernanceRetention", resource


def _encryption_key_for_write(response: Any) -> str | None:
    algorithm = response.headers.get("x-amz-server-side-encryption")
    key = response.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    bucket = response.backend.buckets.get(response.bucket_name)
    if bucket is not None and bucket.encryption:
        default = bucket.encryption["Rule"]["ApplyServerSideEncryptionByDefault"]
        algorithm = algorithm or default["SSEAlgorithm"]
        key = key or default.get("KMSMasterKeyID")
    return (
        _key_arn(response.current_account, response.region, key) if algorithm == "aws:kms" and key else None
    )


def _encryption_key_of_object(response: Any) -> str | None:
    backend = s3_backends[response.current_account][get_partition(response.region)]
    version = response._get_param("versionId")  # noqa: SLF001 moto's own way to read it
    bucket = backend.buckets.get(response.bucket_name)
    if bucket is None:
        return None
    for key in reversed(bucket.keys.getlist(response.parse_key_name(), [])):
        wanted = version is None or getattr(key, "version_id", None) == version
        if wanted and getattr(key, "encryption", None) == "aws:kms" and key.kms_key_id:
            return _key_arn(response.current_account, bucket.region_name, key.kms_key_id)
    return None


def _judge_statement(
    self: Any,
    action: str,
    resource: str = ANY_RESOURCE,
    principal: str | None = None,
    incoming_condition_values: dict[str, str] | None = None,
) -> PermissionResult:
    context = _request_context()
    context.update({key.lower(): [value] for key, value in (incoming_condition_values or {}).items()})
    statement = self._statement
    return _RESULTS[
        effect_of(statement, action=action, resource=resource, principal=principal, context=context)
    ]


def _request_context() -> dict[str, list[str]]:
    """Condition keys of the request under way; the emulator's endpoint stands for AWS's own, which is TLS."""
    context = {"aws:securetransport": ["true"]}
    if flask.has_request_context():
        headers = flask.request.headers
        context["aws:sourceip"] = [flask.request.remote_addr or "127.0.0.1"]
        scope = headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")
        if len(scope) > 2:  # noqa: PLR2004 key/date/region/service/aws4_request
            context["aws:requestedregion"] = [scope[2]]
        for name, value in headers.items():
            if name.lower().startswith("x-amz-"):
                context[f"s3:{name.lower()}"] = [value]
        for condition, header in (
            ("s3:object-lock-mode", "x-amz-object-lock-mode"),
            ("s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date"),
            ("s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold"),
        ):
            if headers.get(header):
                context[condition] = [headers[header]]
        if "prefix" in flask.request.args:
            context["s3:prefix"] = [flask.request.args["prefix"]]
    return context
