"""Clients of AWS and Kubernetes with the same timeouts and retries everywhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from kubernetes import client, config

from operations.errors import OperationsError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

AWS_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    # "standard" backs off with jitter and retries throttling, 5xx and broken connections only.
    retries={"mode": "standard", "max_attempts": 5},
)
KUBERNETES_RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class AwsClients:
    """The AWS services that jobs talk to, all in one region."""

    s3: S3Client
    kms: KMSClient


def aws_clients(region: str | None = None) -> AwsClients:
    """Clients by the credentials and the endpoint that the environment names.

    Args:
        region: AWS region; None takes AWS_REGION or AWS_DEFAULT_REGION.

    Raises:
        OperationsError: No region is known, or the environment's AWS configuration is malformed.
    """
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise OperationsError("no AWS region is set: set AWS_REGION, such as eu-central-1")
    try:
        session = boto3.Session(region_name=region)
        return AwsClients(
            s3=session.client("s3", config=AWS_CONFIG), kms=session.client("kms", config=AWS_CONFIG)
        )
    except (BotoCoreError, ValueError) as error:
        raise OperationsError(f"the AWS configuration can't be used: {error}") from error


def kubernetes_client() -> client.ApiClient:
    """Client of the API server that KUBECONFIG names, else of the cluster that this pod runs in.

    Raises:
        OperationsError: The kubeconfig can't be used, or there is none and this is no pod.
    """
    settings = client.Configuration()
    path = os.environ.get("KUBECONFIG")
    try:
        if path:
            config.load_kube_config(  # type: ignore[no-untyped-call]  # published without types
                config_file=path, client_configuration=settings, persist_config=False
            )
        else:
            config.load_incluster_config(  # type: ignore[no-untyped-call]  # published without types
                client_configuration=settings
            )
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        source = f"kubeconfig {path}" if path else "in-cluster configuration (KUBECONFIG is not set)"
        raise OperationsError(f"{source} can't be used: {error}") from error
    settings.retries = KUBERNETES_RETRIES
    return client.ApiClient(settings)
