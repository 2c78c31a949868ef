"""Collects the nightly pack's five documents and writes them as evidence."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from catalog.load import load_catalogue
from catalog.problems import InputError
from operations.clients import aws_clients, kubernetes_client
from operations.cluster import Cluster
from operations.errors import OperationsError
from operations.evidence.canonical import document_bytes, sha256_hex
from operations.evidence.layout import new_run_id
from operations.evidence.statement import rfc3339
from operations.evidence.store import write_evidence
from operations.jobs.nightly_evidence import sources
from operations.jobs.nightly_evidence.availability import attempt, count
from operations.jobs.nightly_evidence.job_results import job_results
from operations.jobs.nightly_evidence.policy import policy_document, prometheus_rules
from operations.jobs.nightly_evidence.slo import slo_document
from operations.jobs.outcome import JobOutcome
from operations.prometheus import Prometheus
from operations.version import day2_version

if TYPE_CHECKING:
    from operations.jobs.nightly_evidence.slo import SloDefinition
    from operations.settings import JobSettings

NAME = "nightly-evidence"
KIND = "nightly-pack"


def run(settings: JobSettings) -> JobOutcome:
    """Writes tonight's pack.

    Raises:
        OperationsError: The catalogue, the clients' configuration or AWS failed; no record exists.
    """
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at)
    aws = aws_clients(settings.aws_region)
    cluster = Cluster(kubernetes_client())
    prometheus = Prometheus(str(settings.prometheus_url)) if settings.prometheus_url else None
    try:
        documents = collect(
            settings,
            run_id=run_id,
            started_at=started_at,
            cluster=cluster,
            prometheus=prometheus,
            slos=_promised(),
        )
    finally:
        if prometheus:
            prometheus.close()
    record = write_evidence(documents, kind=KIND, job=NAME, run_id=run_id, target=settings.evidence, aws=aws)
    return JobOutcome(run_id=run_id, record=record, summary=_summary(documents))


def _promised() -> tuple[SloDefinition, ...]:
    try:
        # Entries that have expired since the image was built stop updates, not the collection of evidence.
        return load_catalogue(today=date.min).slos
    except InputError as error:
        raise OperationsError(f"the catalogue can't be used:\n{error}") from error


def collect(
    settings: JobSettings,
    *,
    run_id: str,
    started_at: datetime,
    cluster: Cluster,
    prometheus: Prometheus | None,
    slos: Iterable[SloDefinition],
) -> dict[str, Any]:
    """The five documents by name; what can't be had says so in its place.

    Args:
        settings: Names of environment, region and namespace.
        run_id: Identifier of this run.
        started_at: Its start, aware; the documents' names carry the day in UTC.
        cluster: Cluster to read.
        prometheus: Where SLO numbers come from, None if there is none.
        slos: What was promised.
    """
    day = started_at.astimezone(UTC).strftime("%Y%m%d")
    about = {
        "environment": settings.environment,
        "region": settings.region,
        "run_id": run_id,
        "started_at": rfc3339(started_at),
    }
    rules = prometheus_rules(cluster)
    parts = {
        f"policy-{day}": {**about, **policy_document(cluster, rules)},
        f"slo-{day}": {**about, **slo_document(slos, rules, prometheus)},
        f"dora-{day}": {
            **about,
            **sources.figures(sources.DORA_FIGURES, sources.DORA_SOURCES, sources.DORA_REASON),
        },
        f"cost-{day}": {
            **about,
            **sources.figures(sources.COST_FIGURES, sources.COST_SOURCES, sources.COST_REASON),
        },
    }
    evidence = {
        **about,
        "namespace": settings.namespace,
        "versions": {
            "day2": day2_version(),
            "python": platform.python_version(),
            "cluster": attempt(lambda: {"version": cluster.version()}),
        },
        "job_results": job_results(cluster, settings.namespace),
        "summary": {name: count(document) for name, document in parts.items()},
        "documents": {
            f"{name}.json": {"sha256": sha256_hex(document_bytes(document))}
            for name, document in parts.items()
        },
    }
    return {f"evidence-{day}": evidence, **parts}


def _summary(documents: dict[str, Any]) -> dict[str, str]:
    return {
        name: ", ".join(f"{number} {status}" for status, number in count(document).items())
        for name, document in documents.items()
    }
