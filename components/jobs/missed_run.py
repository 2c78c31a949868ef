"""Alerts on a job of the platform: it has not succeeded in time, or it is gone.

The metrics are kube-state-metrics'
(https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics/workload, CronJob and Job).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalog.base import prometheus_duration

if TYPE_CHECKING:
    from catalog.jobs import Job

_ABSENT_FOR = "30m"


def missed_run_rules(name: str, job: Job, *, cron_job: str, namespace: str) -> list[dict[str, Any]]:
    """Recordings and alerts of a job.

    Args:
        name: Name of the catalogue entry.
        job: The entry.
        cron_job: Name of the CronJob.
        namespace: Namespace of the CronJob.
    """
    of_cron_job = f'namespace="{namespace}",cronjob="{cron_job}"'
    of_jobs = f'namespace="{namespace}",job_name=~"{cron_job}-[0-9]+"'
    labels = {"severity": job.severity, "team": job.team, "operations_job": name}
    limit_seconds = int(job.missed_after.total_seconds())
    # A CronJob that never succeeded has no last success: then its age counts.
    since = (
        f"time() - (max(kube_cronjob_status_last_successful_time{{{of_cron_job}}}) "
        f"or max(kube_cronjob_created{{{of_cron_job}}}))"
    )
    duration = f"max(kube_job_status_completion_time{{{of_jobs}}} - kube_job_status_start_time{{{of_jobs}}})"
    recorded = {"operations_job": name}
    return [
        {"record": "operations_job:seconds_since_success:max", "expr": since, "labels": recorded},
        {"record": "operations_job:duration_seconds:max", "expr": duration, "labels": recorded},
        {
            "alert": "OperationsJobMissed",
            "expr": f'operations_job:seconds_since_success:max{{operations_job="{name}"}} > {limit_seconds}',
            "labels": labels,
            "annotations": {
                "summary": f"{name} has not succeeded for {{{{ $value | humanizeDuration }}}}, "
                f"more than {prometheus_duration(job.missed_after)}",
                "description": job.description,
                "runbook_url": job.runbook,
            },
        },
        {
            "alert": "OperationsJobUnknown",
            "expr": f"absent(kube_cronjob_created{{{of_cron_job}}})",
            "for": _ABSENT_FOR,
            "labels": labels,
            "annotations": {
                "summary": f"nothing is known of {name}: its CronJob or kube-state-metrics is gone",
                "description": job.description,
                "runbook_url": job.runbook,
            },
        },
    ]
