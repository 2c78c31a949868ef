"""Offline verification of a bundle in six steps, against object versions and at the time of signing.

It needs the bundle and a public key that the verifier trusts; neither AWS nor network nor today's date.
What S3 told (versions, times, retention) is as trustworthy as whoever exported the bundle; what records
and documents say is as trustworthy as the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from operations.evidence import layout, steps
from operations.evidence.records import Finding, Record, read_records

if TYPE_CHECKING:
    from operations.evidence.bundle import Bundle
    from operations.evidence.steps import TrustedKey


class Step(Enum):
    """The six steps, in order, with the question that each one asks."""

    STRUCTURE = "structure", "envelope, payload type and statement are of the known form"
    SIGNATURE = "signature", "a trusted key signed exactly this content"
    KEY_AND_TIME = "key and time", "the named key signed, in its time, when the record says"
    DOCUMENTS = "documents", "each document is there in the signed version and unaltered"
    CHAIN = "chain", "no record is missing, overwritten, deleted or exchanged"
    RETENTION = "retention", "all is locked as signed and for as long as required"

    @property
    def title(self) -> str:
        """Short name of the step."""
        return self.value[0]

    @property
    def question(self) -> str:
        """What holds if the step passes."""
        return self.value[1]


class Outcome(Enum):
    """How a step ended; one that had nothing to look at did not pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What a verifier asks for beyond what the records say of themselves.

    Attributes:
        newest: How many of the newest records to check; None for the whole chain from its first record.
        retention_days: Days, from signing, that records have to be kept at least.
        expected_sequence: Sequence that the chain has to reach at least: without it, newest records that
            an exporter left out can't be missed.
    """

    newest: int | None = None
    retention_days: int = 1
    expected_sequence: int = layout.FIRST_SEQUENCE


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How one step ended."""

    step: Step
    outcome: Outcome
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Result of a verification.

    Attributes:
        results: One for each step, in order.
        checked: Sequences that were checked.
        documents: How many documents they name.
        notes: What a reader should know that is no failure.
    """

    results: tuple[StepResult, ...]
    checked: tuple[int, ...]
    documents: int
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return all(result.outcome is Outcome.PASSED for result in self.results)

    @property
    def first_failed(self) -> StepResult | None:
        """The first step that failed, None if none did."""
        return next((r for r in self.results if r.outcome is Outcome.FAILED), None)


def verify_bundle(
    bundle: Bundle, trusted: Sequence[TrustedKey], requirements: Requirements | None = None
) -> Report:
    """Verifies a bundle's records and documents.

    Every step looks at every record that it can still understand, so one run tells all that is wrong.

    Args:
        bundle: Made by `bundle.read_bundle`.
        trusted: Public keys from a source other than the bundle.
        requirements: What to ask for; None for the whole chain.

    Raises:
        BundleError: The bundle's files can't be read.
    """
    wanted = requirements or Requirements()
    everything = read_records(bundle)
    records = everything[-wanted.newest :] if wanted.newest is not None else everything
    if not records:
        return _empty(bundle)
    start = everything[-len(records) - 1] if len(everything) > len(records) else None
    signed = steps.signers(records, trusted)
    enveloped = any(r.envelope is not None for r in records)
    stated = any(r.statement is not None for r in records)
    results = (
        _result(Step.STRUCTURE, steps.structure(records)),
        _result(Step.SIGNATURE, steps.signature(records, signed), reached=enveloped),
        _result(Step.KEY_AND_TIME, steps.key_and_time(records, signed), reached=stated and bool(signed)),
        _result(Step.DOCUMENTS, steps.documents(records, bundle), reached=stated),
        _result(
            Step.CHAIN,
            steps.chain(records, start=start, whole=wanted.newest is None, expected=wanted.expected_sequence),
        ),
        _result(Step.RETENTION, steps.retention(records, bundle, days=wanted.retention_days), reached=stated),
    )
    return Report(
        results=results,
        checked=tuple(r.sequence for r in records),
        documents=sum(len(r.statement.subject) for r in records if r.statement is not None),
        notes=tuple(_notes(bundle, everything, records)),
    )


def _result(step: Step, findings: list[Finding], *, reached: bool = True) -> StepResult:
    passed = Outcome.PASSED if reached else Outcome.NOT_REACHED
    return StepResult(step=step, outcome=Outcome.FAILED if findings else passed, findings=tuple(findings))


def _empty(bundle: Bundle) -> Report:
    nothing = Finding(
        record=layout.records_prefix(bundle.manifest.kind), reason="there is no record to verify"
    )
    first, *rest = Step
    return Report(
        results=(_result(first, [nothing]), *(_result(step, [], reached=False) for step in rest)),
        checked=(),
        documents=0,
        notes=(),
    )


def _notes(bundle: Bundle, everything: Sequence[Record], records: Sequence[Record]) -> list[str]:
    notes = []
    if records[0].sequence != layout.FIRST_SEQUENCE:
        notes.append(f"records before sequence {records[0].sequence} were not checked")
    stated = [r.statement for r in everything if r.statement is not None]
    signed = {(s.key, s.annotations.version_id) for statement in stated for s in statement.subject}
    keys = {key for key, _ in signed}
    prefix = layout.documents_prefix(bundle.manifest.kind)
    found = [v for v in bundle.manifest.versions if v.key.startswith(prefix)]
    orphans = sum(v.key not in keys for v in found)
    if orphans:
        notes.append(f"{orphans} documents belong to no record: a run that failed half way leaves such")
    later = sorted({v.key for v in found if v.key in keys and (v.key, v.version_id) not in signed})
    notes += [f"{key} has other versions than the signed one" for key in later]
    hidden = sorted({m.key for m in bundle.manifest.delete_markers if m.key in keys})
    notes += [f"{key} is hidden by a delete marker; the signed version is there" for key in hidden]
    return notes
