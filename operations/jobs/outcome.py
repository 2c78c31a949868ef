"""What a finished job tells its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.evidence.store import RecordReference


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """Result of a job.

    Attributes:
        run_id: Identifier of the run.
        record: The evidence that it wrote, None for a job that writes none.
        summary: What to print, label and value.
    """

    run_id: str
    record: RecordReference | None = None
    summary: Mapping[str, str] = field(default_factory=dict)
