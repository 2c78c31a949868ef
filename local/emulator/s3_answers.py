"""Answers of S3 that moto 5.2.5 lacks or gets wrong.

- GetObjectRetention: moto sends the object itself.
- GetBucketReplication: moto sends a part of what was put and says the rest is empty, so that every refresh
  would show a change.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import ReplicationConfigurationNotFoundError
from moto.s3.responses import S3Response

_NO_RETENTION = (
    "<Error><Code>NoSuchObjectLockConfiguration</Code>"
    "<Message>The specified object does not have a ObjectLock configuration</Message></Error>"
)


def install() -> None:
    """Replace moto's answers, in this process."""
    s3_response: Any = S3Response
    _answer_retention(s3_response)
    s3_response.get_bucket_replication = _get_bucket_replication


def _answer_retention(s3_response: Any) -> None:
    get_object = s3_response.get_object

    def answer(self: Any) -> Any:
        if self._get_action() != "GetObjectRetention":
            return get_object(self)
        key, _ = self._get_key()
        if not key.lock_mode:
            return 404, {}, _NO_RETENTION
        retention = {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}
        return self.serialized(ActionResult({"Retention": retention}))

    s3_response.get_object = answer


def _get_bucket_replication(self: Any) -> Any:
    self.data["Action"] = "GetBucketReplication"
    stored = self.backend.get_bucket_replication(self.bucket_name)
    if not stored:
        raise ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
    rules = [_as_answered(rule) for rule in stored["Rule"]]
    return self.serialized(
        ActionResult({"ReplicationConfiguration": {"Role": stored["Role"], "Rules": rules}})
    )


def _as_answered(rule: dict[str, Any]) -> dict[str, Any]:
    """A stored rule (parsed XML) in the shape of the API's answer."""
    answer = copy.deepcopy(rule)
    answer["Priority"] = int(answer["Priority"])
    if "Filter" in answer:
        where = answer["Filter"] or {"Prefix": ""}
        if "Prefix" in where:
            where["Prefix"] = where["Prefix"] or ""
        both = where.get("And")
        if both and "Tag" in both:
            tags = both.pop("Tag")
            both["Tags"] = tags if isinstance(tags, list) else [tags]
        answer["Filter"] = where
    for clock in ("ReplicationTime", "Metrics"):
        for limit in (answer["Destination"].get(clock) or {}).values():
            if isinstance(limit, dict):
                limit["Minutes"] = int(limit["Minutes"])
    return answer
