"""All jobs by the name that CronJobs and `catalog/jobs.yaml` use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operations.jobs.nightly_evidence import job as nightly_evidence
from operations.jobs.outcome import JobOutcome
from operations.settings import JobSettings

JOBS: Mapping[str, Callable[[JobSettings], JobOutcome]] = {"nightly-evidence": nightly_evidence.run}
