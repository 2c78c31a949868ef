"""Access to AWS, or to the emulator that answers for it: boto3 clients, errors, account."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.plugins.properties import Properties
from local.plugins.provider import ProviderError

_UNSUPPORTED_CONFIG = ("assumeRoles", "assumeRoleWithWebIdentity", "forbiddenAccountIds", "ignoreTags")


@dataclass
class Session:
    """What one provider instance calls AWS with.

    Attributes:
        config: The provider's inputs.
        region: The region of the resource in hand; see `at`.
    """

    config: Properties
    region: str = ""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in _UNSUPPORTED_CONFIG:
            if self.config.get(key):
                raise ProviderError(
                    f"the AWS stand-in of the embedded platform does not support the provider input {key}; "
                    "use the official plugin for real accounts"
                )
        self.region = (
            self.region
            or self.config.get("region")
            or os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION", "")
        )

    def at(self, region: str | None) -> "Session":
        """The same session for a resource that names its own region."""
        if not region or region == self.region:
            return self
        return Session(self.config, region, self._clients, self._lock, self._known)

    def client(self, service: str) -> Any:
        """The boto3 client of a service in this region; made once: it takes 50 ms and more."""
        with self._lock:
            key = (service, self.region)
            if key not in self._clients:
                self._clients[key] = self._make_client(service)
            return self._clients[key]

    def _make_client(self, service: str) -> Any:
        # Imported here: 0.4 s of CPU that a provider without resources need not spend.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        if not self.region:
            raise ProviderError("no AWS region: set the provider's region, or AWS_REGION")
        path_style = self.config.get("s3UsePathStyle") is True
        endpoints = {name: url for item in self.config.get("endpoints") or [] for name, url in item.items()}
        return boto3.client(  # type: ignore[call-overload]  # the service is data here
            service,
            region_name=self.region,
            endpoint_url=endpoints.get(service),
            aws_access_key_id=self.config.get("accessKey"),
            aws_secret_access_key=self.config.get("secretKey"),
            aws_session_token=self.config.get("token"),
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"} if path_style else None,
            ),
        )

    @property
    def s3(self) -> Any:
        """The client of S3."""
        return self.client("s3")

    @property
    def kms(self) -> Any:
        """The client of KMS."""
        return self.client("kms")

    @property
    def iam(self) -> Any:
        """The client of IAM."""
        return self.client("iam")

    def caller(self) -> dict[str, str]:
        """The answer of STS GetCallerIdentity: ``Account``, ``Arn``, ``UserId``; asked once."""
        with self._lock:
            if not self._known:
                answer = self.client("sts").get_caller_identity()
                self._known.update({key: answer[key] for key in ("Account", "Arn", "UserId")})
            return self._known

    def require_allowed_account(self) -> None:
        """Refuse to touch an account that the provider's ``allowedAccountIds`` does not list.

        Raises:
            ProviderError: The credentials belong to another account.
        """
        allowed = [str(account) for account in self.config.get("allowedAccountIds") or []]
        if not allowed:
            return
        with explained("checking the AWS account"):
            account = self.caller()["Account"]
        if account not in allowed:
            raise ProviderError(
                f"AWS account {account} is not allowed: this stack may only touch {', '.join(allowed)} "
                "(allowed_account_ids of its provider). Use credentials of that account, or another stack."
            )

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags that the provider gives to everything."""
        return (self.config.get("defaultTags") or {}).get("tags") or {}


def error_code(error: Exception) -> str:
    """The error code in a botocore ClientError: such as ``NoSuchBucket``."""
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


@contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Let the AWS errors with these codes pass."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the errors of boto3 into one clear sentence about ``what`` was being done."""
    from botocore import exceptions  # noqa: PLC0415

    try:
        yield
    except exceptions.ClientError as error:
        raise ProviderError(
            f"{what}: AWS refused {error.operation_name}: {error_code(error)}: "
            f"{error.response.get('Error', {}).get('Message', '')}"
        ) from error
    except exceptions.NoCredentialsError as error:
        raise ProviderError(
            f"{what}: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        ) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "the endpoint of AWS")
        raise ProviderError(
            f"{what}: {endpoint} (AWS_ENDPOINT_URL) does not answer: {error}. Start the emulator, "
            "or correct the variable."
        ) from error
    except exceptions.BotoCoreError as error:
        raise ProviderError(f"{what}: {error}") from error
