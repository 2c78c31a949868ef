"""The platform's own jobs: one entry drives a job's CronJob, rights, network, alert and runbook link."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from catalog.base import CatalogueModel, Duration, Expiring, Name

AwsTarget = Literal["evidence-store", "evidence-replica", "signing-key", "encryption-key"]
"""What a job's AWS actions may be granted on; each region resolves it to ARNs."""

Destination = Literal["aws", "kubernetes", "prometheus"]
"""What a job's pods may open connections to, besides DNS."""

_SCHEDULE_RUNS_CHECKED = 400


# What Kubernetes reads: no seconds, no L, W and #, and Sunday is 0.
_CRON_ITEM = r"(\*|\d+(-\d+)?|[A-Za-z]{3}(-[A-Za-z]{3})?)(/\d+)?"
_CRON = re.compile(rf"(?!.* [^ ]*7[^ ]*$)({_CRON_ITEM}(,{_CRON_ITEM})*( (?=.)|$)){{5}}")


def _is_cron(schedule: str) -> str:
    message = "is not a cron expression of five fields (UTC): write it as in '0 2 * * *'"
    if not _CRON.fullmatch(schedule):
        raise ValueError(message)
    try:
        CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(message) from error
    return schedule


Action = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$")]
"""One IAM action without wildcard, such as `s3:PutObject`."""


class AwsGrant(CatalogueModel):
    """AWS actions on one thing that the platform made."""

    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    target: AwsTarget


class KubernetesGrant(CatalogueModel):
    """One RBAC rule.

    Attributes:
        verbs: Verbs, no `*`.
        groups: API groups, "" for core.
        resources: Resources; `*` only together with reading verbs.
        scope: `cluster` makes a ClusterRole, `namespace` a Role in the operations namespace.
    """

    verbs: Annotated[
        tuple[Literal["get", "list", "watch", "create", "patch", "update", "delete"], ...],
        Field(min_length=1),
    ]
    groups: Annotated[tuple[str, ...], Field(min_length=1)]
    resources: Annotated[tuple[str, ...], Field(min_length=1)]
    scope: Literal["cluster", "namespace"]

    @model_validator(mode="after")
    def _wildcards_only_read(self) -> Self:
        if "*" in self.groups:
            raise ValueError("grants on every API group: name the groups")
        if "*" in self.resources and not {"get", "list", "watch"}.issuperset(self.verbs):
            raise ValueError("grants writing verbs on all resources: name the resources")
        return self


class Resources(CatalogueModel):
    """What a job's container asks for; memory is also its limit, CPU is not limited.

    Attributes:
        cpu: Kubernetes quantity, `100m`.
        memory: Kubernetes quantity, `256Mi`.
    """

    cpu: Annotated[str, StringConstraints(pattern=r"^\d+m?$")] = "100m"
    memory: Annotated[str, StringConstraints(pattern=r"^\d+(Mi|Gi)$")] = "256Mi"


class Job(Expiring):
    """One entry of `catalog/jobs.yaml`.

    Attributes:
        description: What it is for, in a line.
        schedule: Cron expression of five fields, UTC.
        timeout: Time after which Kubernetes ends a run.
        missed_after: Time without a success after which an alert fires; more than the schedule's longest gap.
        severity: Of that alert: `critical` pages, `warning` opens a ticket.
        team: Who answers for it.
        runbook: Path of the runbook in this project.
        aws: Everything that it may do in AWS.
        kubernetes: Everything that it may do at the API server.
        egress: Everything that its pods may connect to.
        secrets: Names of Pulumi config secrets that it gets as environment variables.
        evidence: Kind of the evidence that it writes, None for none.
        resources: What its container asks for.
    """

    description: str
    schedule: Annotated[str, AfterValidator(_is_cron)]
    timeout: Duration
    missed_after: Duration
    severity: Literal["critical", "warning"] = "warning"
    team: Name
    runbook: Annotated[str, StringConstraints(pattern=r"^docs/runbooks/[a-z0-9-]+\.md$")]
    aws: tuple[AwsGrant, ...] = ()
    kubernetes: tuple[KubernetesGrant, ...] = ()
    egress: tuple[Destination, ...] = ()
    secrets: tuple[Name, ...] = ()
    evidence: Name | None = None
    resources: Resources = Resources()

    @model_validator(mode="after")
    def _missed_after_leaves_time_for_a_run(self) -> Self:
        needed = longest_gap(self.schedule) + self.timeout
        if self.missed_after < needed:
            hours = needed.total_seconds() / 3_600
            raise ValueError(
                "has a missed_after that a punctual run can exceed: the schedule's longest gap and the "
                f"timeout make {hours:.1f} h, write at least that"
            )
        return self

    @model_validator(mode="after")
    def _grants_can_be_reached(self) -> Self:
        for destination, granted in (("aws", self.aws), ("kubernetes", self.kubernetes)):
            if granted and destination not in self.egress:
                raise ValueError(
                    f"has rights in {destination} but no egress to it: add {destination} to egress"
                )
        return self


def longest_gap(schedule: str) -> timedelta:
    """Longest time between two runs of a cron expression, over its next 400 runs."""
    runs = islice(CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC)), _SCHEDULE_RUNS_CHECKED)
    return max((later - earlier for earlier, later in pairwise(runs)), default=timedelta(days=365))


JobsFile = dict[Name, Job]
