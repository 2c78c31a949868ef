"""The six verification steps as pure functions from records to findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from operations.evidence import envelope as dsse
from operations.evidence import layout
from operations.evidence.canonical import sha256_hex
from operations.evidence.records import Finding, Record
from operations.evidence.statement import rfc3339

if TYPE_CHECKING:
    from operations.evidence.bundle import Bundle, ObjectVersion
    from operations.evidence.statement import Statement

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the job's clock may be ahead of S3's, or of the job's before it."""

LONGEST_STORING = timedelta(hours=1)
"""Longest time from signing to the record's arrival in S3; more means that it was dated back. The
nightly job may run 20 minutes in all, so an hour leaves room for retries."""


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A public key that the verifier trusts, and when it was in use.

    Attributes:
        key: The key, made by `envelope.public_key_from_pem`.
        valid_from: Start of its use, None for no start.
        valid_until: End of its use, None for no end.
    """

    key: dsse.PublicKey
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def structure(records: Sequence[Record]) -> list[Finding]:
    """Each record is a canonical DSSE envelope around an in-toto statement of ours."""
    findings = [Finding(record=r.key, reason=flaw) for r in records for flaw in r.flaws]
    for record, statement in _stated(records):
        keys = [s.key for s in statement.subject]
        if len(keys) != len(set(keys)):
            findings.append(Finding(record=record.key, reason="names a document twice"))
    return findings


def signers(records: Sequence[Record], trusted: Sequence[TrustedKey]) -> dict[str, TrustedKey]:
    """Which trusted key signed each record, by the record's key; unsigned ones are left out."""
    found = {}
    for record in records:
        if record.envelope is not None:
            for candidate in trusted:
                if dsse.is_signed_by(record.envelope, candidate.key):
                    found[record.key] = candidate
                    break
    return found


def signature(records: Sequence[Record], signed: Mapping[str, TrustedKey]) -> list[Finding]:
    """Each record is signed by a trusted key."""
    return [
        Finding(record=r.key, reason="its signature is not that of a trusted key over this content")
        for r in records
        if r.envelope is not None and r.key not in signed
    ]


def key_and_time(records: Sequence[Record], signed: Mapping[str, TrustedKey]) -> list[Finding]:
    """Each record names the key that signed it, and was signed when it says, while that key was in use."""
    findings = []
    for record, statement in _stated(records):
        if record.key in signed and record.envelope is not None:
            reasons = [
                *_key_reasons(dsse.signature(record.envelope).keyid, statement, signed[record.key].key.keyid),
                *_time_reasons(record.version.last_modified, statement, signed[record.key]),
            ]
            findings += [Finding(record=record.key, reason=reason) for reason in reasons]
    return findings


def _key_reasons(hint: str, statement: Statement, key_id: str) -> list[str]:
    reasons = []
    if statement.predicate.key_id != key_id:
        reasons.append(f"says it was signed by key {statement.predicate.key_id}, but {key_id} did")
    if hint != key_id:
        reasons.append(f"its envelope names key {hint}, but {key_id} signed")
    return reasons


def _time_reasons(stored_at: datetime, statement: Statement, by: TrustedKey) -> list[str]:
    reasons = []
    produced_at = statement.predicate.produced_at
    said = f"says it was produced at {rfc3339(produced_at)}"
    if produced_at > stored_at + CLOCK_TOLERANCE:
        reasons.append(f"{said}, after S3 took it in at {rfc3339(stored_at)}")
    if stored_at - produced_at > LONGEST_STORING:
        reasons.append(f"{said}, but S3 took it in only at {rfc3339(stored_at)}: it was dated back")
    if by.valid_from is not None and produced_at < by.valid_from:
        reasons.append(f"{said}, before its key came into use at {rfc3339(by.valid_from)}")
    if by.valid_until is not None and produced_at >= by.valid_until:
        reasons.append(f"{said}, after its key went out of use at {rfc3339(by.valid_until)}")
    return reasons


def documents(records: Sequence[Record], bundle: Bundle) -> list[Finding]:
    """Each document is there, in the very version that was signed, and unaltered.

    Raises:
        BundleError: The bundle's files can't be read.
    """
    versions = versions_by_id(bundle)
    findings = []
    for record, statement in _stated(records):
        for subject in statement.subject:
            version = versions.get((subject.key, subject.annotations.version_id))
            content = bundle.content(version) if version is not None else None
            if content is None:
                reason = f"{subject.name} is missing in version {subject.annotations.version_id}"
            elif (digest := sha256_hex(content)) != subject.digest.sha256:
                reason = (
                    f"{subject.name} was altered: its SHA-256 is {digest}, signed was {subject.digest.sha256}"
                )
            else:
                continue
            findings.append(Finding(record=record.key, reason=reason))
    return findings


def chain(records: Sequence[Record], *, start: Record | None, whole: bool, expected: int) -> list[Finding]:
    """No record is missing, was overwritten, deleted, exchanged or put in from elsewhere.

    Args:
        records: Those to check, by sequence.
        start: The record before the first of them, if there is one in the bundle.
        whole: Whether the first of them has to be the first ever.
        expected: Sequence that the chain has to reach at least.
    """
    findings = []
    for record in records:
        reasons = [*_history_reasons(record), *_place_reasons(record)]
        findings += [Finding(record=record.key, reason=reason) for reason in reasons]
    if whole and records:
        findings += _start(records[0])
    linked = [start, *records] if start is not None else list(records)
    for before, record in pairwise(linked):
        findings += [Finding(record=record.key, reason=reason) for reason in _link_reasons(before, record)]
    if records and records[-1].sequence < expected:
        findings.append(
            Finding(
                record=records[-1].key,
                reason=f"is the newest, but the chain has to reach {expected}: later ones are missing",
            )
        )
    return findings


def _history_reasons(record: Record) -> list[str]:
    reasons = []
    if len(record.versions) > 1:
        later = ", ".join(v.version_id for v in record.versions[1:])
        reasons.append(f"was overwritten: has {len(record.versions)} versions, later ones are {later}")
    if record.delete_markers:
        markers = ", ".join(m.version_id for m in record.delete_markers)
        reasons.append(f"was deleted: has delete marker {markers}")
    if not record.versions:
        reasons.append("is gone: no version of it is left")
    return reasons


def _place_reasons(record: Record) -> list[str]:
    if record.statement is None or record.statement.predicate.sequence == record.sequence:
        return []
    return [f"was signed as sequence {record.statement.predicate.sequence} and lies at {record.sequence}"]


def _start(first: Record) -> list[Finding]:
    if first.sequence != layout.FIRST_SEQUENCE:
        missing = _range(layout.FIRST_SEQUENCE, first.sequence - 1)
        return [Finding(record=first.key, reason=f"is the oldest: {missing} before it missing")]
    if first.statement is not None and first.statement.predicate.previous is not None:
        return [Finding(record=first.key, reason="is the first, but names a record before it")]
    return []


def _link_reasons(before: Record, record: Record) -> list[str]:
    if record.sequence != before.sequence + 1:
        return [f"{_range(before.sequence + 1, record.sequence - 1)} before it missing"]
    if record.statement is None:
        return []
    link = record.statement.predicate.previous
    if link is None:
        return [f"names no record before it, but there is {before.key}"]
    reasons = []
    if link.sequence != before.sequence:
        reasons.append(f"follows sequence {link.sequence} instead of {before.sequence}")
    if before.digest is not None and link.digest.sha256 != before.digest:
        reasons.append(f"{before.key} is not the record that it follows: the digest differs")
    if before.versions and link.version_id != before.version.version_id:
        reasons.append(f"follows version {link.version_id} of {before.key}, which is not its first one")
    if before.statement is not None:
        reasons += _origin_reasons(before.statement, record.statement)
    return reasons


def _origin_reasons(before: Statement, statement: Statement) -> list[str]:
    old, new = before.predicate, statement.predicate
    reasons = []
    if (old.environment, old.region) != (new.environment, new.region):
        reasons.append(
            f"is about {new.environment}/{new.region}, the one before it about {old.environment}/{old.region}"
        )
    if new.produced_at + CLOCK_TOLERANCE < old.produced_at:
        reasons.append(f"was produced at {rfc3339(new.produced_at)}, earlier than the one before it")
    return reasons


def _range(first: int, last: int) -> str:
    return f"sequence {first} is" if first == last else f"sequences {first} to {last} are"


def retention(records: Sequence[Record], bundle: Bundle, *, days: int) -> list[Finding]:
    """Record and documents are locked as signed, and for at least `days` from signing."""
    versions = versions_by_id(bundle)
    findings = []
    for record, statement in _stated(records):
        reasons = []
        if statement.predicate.retention < timedelta(days=days):
            reasons.append(f"is kept for {statement.predicate.retention.days} days, {days} are required")
        reasons += _lock_reasons("it", record.version, statement)
        for subject in statement.subject:
            version = versions.get((subject.key, subject.annotations.version_id))
            if version is not None:
                reasons += _lock_reasons(subject.name, version, statement)
        findings += [Finding(record=record.key, reason=reason) for reason in reasons]
    return findings


def _lock_reasons(name: str, version: ObjectVersion, statement: Statement) -> list[str]:
    signed = statement.predicate
    if version.lock_mode is None or version.retain_until is None:
        return [f"{name} isn't locked, or the exporter had no right s3:GetObjectRetention"]
    reasons = []
    if version.lock_mode not in (signed.lock_mode, "COMPLIANCE"):
        reasons.append(f"{name} is locked in mode {version.lock_mode}, signed was {signed.lock_mode}")
    if version.retain_until < signed.retain_until:
        reasons.append(
            f"{name} is locked until {rfc3339(version.retain_until)}, "
            f"signed was {rfc3339(signed.retain_until)}"
        )
    return reasons


def versions_by_id(bundle: Bundle) -> dict[tuple[str, str], ObjectVersion]:
    """A bundle's object versions by key and version id."""
    return {(v.key, v.version_id): v for v in bundle.manifest.versions}


def _stated(records: Sequence[Record]) -> list[tuple[Record, Statement]]:
    return [(r, r.statement) for r in records if r.statement is not None]
