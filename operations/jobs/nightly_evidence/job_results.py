"""How the platform's own jobs ended, by what the cluster says of its Jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from operations.jobs.nightly_evidence.availability import attempt

if TYPE_CHECKING:
    from operations.cluster import Cluster


def job_results(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """The Jobs of a namespace; the one that asks is among them, running."""

    def find() -> dict[str, Any]:
        objects = cluster.objects(cluster.resource("batch", "jobs"), namespace)
        return {"objects": [_result(o) for o in objects]}

    return attempt(find)


def _result(o: dict[str, Any]) -> dict[str, Any]:
    status = o.get("status") or {}
    conditions = {
        c["type"]: c for c in status.get("conditions") or [] if c.get("status") == "True" and "type" in c
    }
    failed = conditions.get("Failed")
    start = status.get("startTime")
    end = failed.get("lastTransitionTime") if failed else status.get("completionTime")
    result = "failed" if failed else "succeeded" if "Complete" in conditions else "running"
    owners = o["metadata"].get("ownerReferences") or []
    return {
        "name": o["metadata"]["name"],
        "cron_job": next((owner["name"] for owner in owners if owner.get("kind") == "CronJob"), None),
        "result": result,
        "reason": failed.get("reason") if failed else None,
        "started_at": start,
        "ended_at": end,
        "duration_seconds": _seconds(start, end),
    }


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
