"""Ways to look at a verification's report, and to tamper with a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operations.evidence import envelope as dsse
from operations.evidence import signing
from operations.evidence.canonical import compact_bytes
from operations.evidence.verify import Outcome, Report, Step
from tests.operations.support import Night, file_of_record


def failed(report: Report) -> list[Step]:
    return [result.step for result in report.results if result.outcome is Outcome.FAILED]


def reasons(report: Report) -> str:
    return "\n".join(f"{f.record}: {f.reason}" for r in report.results for f in r.findings)


def rewrite(bundle: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    path = file_of_record(bundle, number)
    path.write_bytes(change(path.read_bytes()))


def signed_again(data: bytes, night: Night, key: str, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The record with a changed payload and a good signature by a key."""
    payload = json.loads(dsse.decode(data).payload)
    change(payload)
    return signing.sign(compact_bytes(payload), signing.signer(key, night.aws.kms))
