"""What runs, where its logs are, and how the last jobs ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes import client
from rich.console import Console
from rich.table import Table
from urllib3.exceptions import HTTPError

from components.region import OPERATIONS_NAMESPACE
from local.api_client import api_client
from local.control_plane.lifecycle import control_plane_status
from local.emulator.lifecycle import emulator_status

if TYPE_CHECKING:
    from local.engine import Engine
    from local.platform import EmbeddedPlatform


def show(platform: EmbeddedPlatform) -> None:
    """Prints the state of every process and of every job's last run.

    Args:
        platform: The platform.
    """
    console = Console(soft_wrap=True)
    console.print(_processes(platform))
    console.print(_jobs(platform))


def what_next(engine: Engine) -> str:
    """What exists after an update, and what to try.

    Args:
        engine: The engine, on the updated stack.
    """
    regions: dict[str, Any] = engine.outputs().get("regions", {})
    lines = ["", f"stack {engine.stack} is up in {len(regions)} regions:"]
    for region, its in regions.items():
        lines.append(
            f"  {region}: evidence in {its['evidence_bucket']}, copy in {its['evidence_replica_bucket']}"
        )
        lines.append(f"    kubectl --kubeconfig {engine.workspace.kubeconfig(region)} get cronjobs -A")
    first = next(iter(regions), "REGION")
    lines += [
        "try next:",
        f"  make job NAME=nightly-evidence REGION={first}   run a deployed job",
        "  make verify                                     verify the evidence that it wrote",
        "  make status                                     what runs, and how jobs ended",
    ]
    return "\n".join(lines)


def _processes(platform: EmbeddedPlatform) -> Table:
    table = Table("process", "state", "pid", "address", "log", title="Processes")
    for region in platform.issuers:
        plane = control_plane_status(platform.workspace, region)
        for component in plane.components:
            state = "runs" if component.pid else "stopped"
            port = f"127.0.0.1:{component.port}" if component.port else ""
            table.add_row(
                f"{region}/{component.name}", state, str(component.pid or ""), port, str(component.log)
            )
    emulator = emulator_status(platform.workspace)
    state = "ready" if emulator.ready else "stopped"
    table.add_row("AWS emulator", state, str(emulator.pid or ""), emulator.endpoint, str(emulator.log))
    return table


def _jobs(platform: EmbeddedPlatform) -> Table:
    table = Table("region", "job", "schedule (UTC)", "last success", "last run", title="Jobs")
    for region in platform.issuers:
        kubeconfig = platform.workspace.kubeconfig(region)
        if not kubeconfig.is_file():
            continue
        try:
            batch: Any = client.BatchV1Api(api_client(kubeconfig))
            for item in batch.list_namespaced_cron_job(OPERATIONS_NAMESPACE).items:
                name = item.metadata.name
                success = item.status.last_successful_time
                table.add_row(
                    region, name, item.spec.schedule, str(success or "never"), _last_run(batch, name)
                )
        except (HTTPError, client.ApiException) as error:
            table.add_row(region, f"not known: {type(error).__name__}", "", "", "")
    return table


def _last_run(batch: Any, cron_job: str) -> str:
    runs = [
        job
        for job in batch.list_namespaced_job(OPERATIONS_NAMESPACE).items
        if any(owner.name == cron_job for owner in job.metadata.owner_references or [])
    ]
    if not runs:
        return "none"
    newest = max(runs, key=lambda job: job.metadata.creation_timestamp)
    ends = [
        c.type
        for c in newest.status.conditions or []
        if c.status == "True" and c.type in ("Complete", "Failed")
    ]
    return f"{newest.metadata.name}: {ends[0] if ends else 'running'}"
