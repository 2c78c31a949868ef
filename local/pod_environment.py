"""The environment that a pod's process gets: its own, its ConfigMaps' and Secrets', and its identity."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from local.errors import PlatformError

_TOKEN_SECONDS = 3_600
_ROLE = "eks.amazonaws.com/role-arn"
_AUDIENCE = "eks.amazonaws.com/audience"
_DEFAULT_AUDIENCE = "sts.amazonaws.com"


def of_pod(core: Any, pod: Any, *, folder: Path, kubeconfig: Path, node: Mapping[str, str]) -> dict[str, str]:
    """Everything that the process of a pod's first container finds in its environment.

    The service account's tokens are real ones of the API server: one for the API server, in a kubeconfig,
    and, where the account names an IAM role, one for STS, as EKS's pod identity webhook would inject it.

    Args:
        core: Client of the API server.
        pod: The pod.
        folder: Where the tokens go; the caller removes it.
        kubeconfig: Where the API server's address and certificate are read from.
        node: What this machine adds: the address that stands for AWS.

    Raises:
        PlatformError: A ConfigMap or Secret that the pod names is missing.
    """
    container = pod.spec.containers[0]
    environment = {
        # The image's python is this interpreter.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "HOSTNAME": pod.metadata.name,
        **node,
    }
    for source in container.env_from or []:
        environment |= _source(core, pod.metadata.namespace, source)
    environment |= {entry.name: entry.value or "" for entry in container.env or []}
    environment |= _identity(core, pod, folder, kubeconfig)
    return environment


def _source(core: Any, namespace: str, source: Any) -> dict[str, str]:
    if source.config_map_ref is not None:
        name, kind, read = source.config_map_ref.name, "ConfigMap", core.read_namespaced_config_map
    else:
        name, kind, read = source.secret_ref.name, "Secret", core.read_namespaced_secret
    try:
        data = read(name, namespace).data or {}
    except client.ApiException as error:
        raise PlatformError(
            f"the pod names the {kind} {name}, which can't be read: {error.reason}",
            where=f"namespace {namespace}",
            fix="run `make up`, which makes it anew",
        ) from None
    if kind == "Secret":
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
    return dict(data)


def _identity(core: Any, pod: Any, folder: Path, kubeconfig: Path) -> dict[str, str]:
    account, namespace = pod.spec.service_account_name, pod.metadata.namespace
    own_kubeconfig = folder / "kubeconfig"
    own_kubeconfig.write_text(
        yaml.safe_dump(_as_user(kubeconfig, _token(core, account, namespace, audience=None))),
        encoding="utf-8",
    )
    environment = {"KUBECONFIG": str(own_kubeconfig)}
    annotations = core.read_namespaced_service_account(account, namespace).metadata.annotations or {}
    if _ROLE in annotations:
        token_file = folder / "aws-token"
        audience = annotations.get(_AUDIENCE, _DEFAULT_AUDIENCE)
        token_file.write_text(_token(core, account, namespace, audience=audience), encoding="utf-8")
        environment |= {
            "AWS_ROLE_ARN": annotations[_ROLE],
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        }
    return environment


def _token(core: Any, account: str, namespace: str, *, audience: str | None) -> str:
    spec = client.V1TokenRequestSpec(
        audiences=[audience] if audience else [], expiration_seconds=_TOKEN_SECONDS
    )
    request = client.AuthenticationV1TokenRequest(spec=spec)
    return str(core.create_namespaced_service_account_token(account, namespace, request).status.token)


def _as_user(kubeconfig: Path, token: str) -> dict[str, Any]:
    """The region's kubeconfig with a service account's token in place of the administrator's certificate."""
    content: dict[str, Any] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    content["users"] = [{"name": user["name"], "user": {"token": token}} for user in content["users"]]
    return content
