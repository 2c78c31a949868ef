"""Provider functions: a table from token to what answers it."""

from collections.abc import Callable

from local.plugins.aws.session import Session
from local.plugins.properties import Properties


def _caller_identity(session: Session, _arguments: Properties) -> Properties:
    caller = session.caller()
    return {
        "accountId": caller["Account"],
        "arn": caller["Arn"],
        "id": caller["Account"],
        "userId": caller["UserId"],
    }


def _region(session: Session, _arguments: Properties) -> Properties:
    region = session.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


FUNCTIONS: dict[str, Callable[[Session, Properties], Properties]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
}
