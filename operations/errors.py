"""Errors that a run expects: one line each, shown without a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "403"})


class OperationsError(Exception):
    """Something that can go wrong in a sound program; its text says what, where and how to mend it."""


class AwsError(OperationsError):
    """AWS refused or failed a call.

    Attributes:
        action: IAM action of the call, such as `s3:PutObject`.
        resource: What it was called on.
        code: The service's error code, or the name of the client's error where no answer came.
    """

    def __init__(self, action: str, resource: str, code: str, detail: str) -> None:
        self.action = action
        self.resource = resource
        self.code = code
        if self.refused:
            text = f"AWS refused {action} on {resource}: grant it to this identity ({detail})"
        else:
            text = f"{action} on {resource} failed: {code} ({detail})"
        super().__init__(text)

    @property
    def refused(self) -> bool:
        """Whether the identity lacks a right."""
        return self.code in _REFUSED


@contextmanager
def aws_call(action: str, resource: str) -> Iterator[None]:
    """Turns whatever boto3 raises inside the block into one `AwsError`.

    Args:
        action: IAM action of the call, as a policy would name it.
        resource: What the call is on, as an ARN or an `s3://` address.

    Raises:
        AwsError: The call was refused or failed, or no answer came.
    """
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        raise AwsError(
            action, resource, str(details.get("Code", "Unknown")), str(details.get("Message", error))
        ) from error
    except BotoCoreError as error:
        raise AwsError(action, resource, type(error).__name__, str(error)) from error
