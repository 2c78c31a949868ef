"""The signed content of a record: an in-toto Statement v1 with a predicate of ours.

https://github.com/in-toto/attestation/tree/main/spec/v1
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

STATEMENT_TYPE: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Literal["https://day2.dev/evidence/v1"] = "https://day2.dev/evidence/v1"
MEDIA_TYPE: Literal["application/json"] = "application/json"

_RFC3339_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def rfc3339(moment: datetime) -> str:
    """A moment as records write it: UTC, whole seconds, `2026-11-21T02:00:00Z`.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: pass an aware datetime")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse_rfc3339(value: Any) -> Any:
    if isinstance(value, str) and _RFC3339_UTC.fullmatch(value):
        return datetime.fromisoformat(value)
    raise ValueError("is not a UTC time of the form 2026-11-21T02:00:00Z")


Moment = Annotated[datetime, BeforeValidator(_parse_rfc3339)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Digest(_Part):
    """Digest set of in-toto, with the one algorithm in use."""

    sha256: Sha256


class Annotations(_Part):
    """Annotations of a document: the version of the object that it is."""

    version_id: Text = Field(alias="versionId")


class Subject(_Part):
    """One document, as an in-toto ResourceDescriptor."""

    name: Text
    uri: Annotated[str, Field(pattern=r"^s3://[^/]+/.+$")]
    digest: Digest
    media_type: Literal["application/json"] = Field(alias="mediaType")
    annotations: Annotations

    @property
    def key(self) -> str:
        """Key of the object in its bucket; a replica has the same key in another bucket."""
        return self.uri.removeprefix("s3://").partition("/")[2]


class Previous(_Part):
    """The record before: the digest is of its whole envelope's bytes."""

    sequence: Annotated[int, Field(ge=1)]
    digest: Digest
    version_id: Text = Field(alias="versionId")


class Predicate(_Part):
    """What a record claims about itself.

    Attributes:
        kind: Kind of evidence, such as `nightly-pack`; each kind is a chain of its own.
        environment: Environment that it is about.
        region: Region that it is about.
        job: Job that wrote it.
        run_id: Run of that job.
        sequence: Place in the chain, from 1 without a gap.
        produced_at: Time of signing.
        retain_until: Until when neither the record nor its documents may be deleted.
        lock_mode: Object Lock mode that they were stored with.
        key_id: Identifier of the public key, computed from the key itself.
        key_arn: KMS key that signed.
        previous: The record before, None for the first one.
    """

    kind: Text
    environment: Text
    region: Text
    job: Text
    run_id: Text
    sequence: Annotated[int, Field(ge=1)]
    produced_at: Moment
    retain_until: Moment
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"]
    key_id: Sha256
    key_arn: Text
    previous: Previous | None

    @property
    def retention(self) -> timedelta:
        """Time from signing to the end of the lock."""
        return self.retain_until - self.produced_at


class Statement(_Part):
    """An in-toto Statement v1 whose predicate is ours."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    predicate_type: Literal["https://day2.dev/evidence/v1"] = Field(alias="predicateType")
    subject: Annotated[tuple[Subject, ...], Field(min_length=1)]
    predicate: Predicate


def subject(*, name: str, bucket: str, key: str, sha256: str, version_id: str) -> dict[str, Any]:
    """One stored document as a statement names it."""
    return {
        "name": name,
        "uri": f"s3://{bucket}/{key}",
        "digest": {"sha256": sha256},
        "mediaType": MEDIA_TYPE,
        "annotations": {"versionId": version_id},
    }


def previous(*, sequence: int, sha256: str, version_id: str) -> dict[str, Any]:
    """The record before, as a statement names it; `sha256` is of its whole envelope's bytes."""
    return {"sequence": sequence, "digest": {"sha256": sha256}, "versionId": version_id}


def statement(*, subjects: list[dict[str, Any]], predicate: dict[str, Any]) -> dict[str, Any]:
    """A Statement as plain data, ready to be signed.

    Args:
        subjects: Documents, made by `subject`.
        predicate: Fields of `Predicate`; times are aware datetimes or made by `rfc3339`.

    Raises:
        pydantic.ValidationError: The result would not be a valid statement.
    """
    times = {name: rfc3339(value) for name, value in predicate.items() if isinstance(value, datetime)}
    data = {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": subjects,
        "predicate": {**predicate, **times},
    }
    Statement.model_validate(data)
    return data
