"""Runs a CronJob of a region for real, in the kubelet's place.

The API server makes the Job, the Job controller makes the Pod, and this module runs the container's
command as a process: with the environment, ConfigMaps, Secrets and the service account's identity that
the objects name, and nothing of the caller's. Then it reports the pod's end, and the controllers do the rest.
What a container would add (its root file system, limits and user) is not enforced.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from local import pod_environment
from local.api_client import api_client
from local.errors import PlatformError
from local.workspace import Workspace

_POD_WAIT_SECONDS = 30.0
_END_WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.2
_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """How a run ended.

    Attributes:
        job: Name of the Kubernetes Job.
        exit_code: Of the container's process.
        seconds: How long the process ran.
        log: What it printed.
    """

    job: str
    exit_code: int
    seconds: float
    log: Path


def run_cron_job(
    workspace: Workspace,
    region: str,
    name: str,
    *,
    namespace: str,
    node_environment: Mapping[str, str],
    program: Path,
    show: bool = True,
) -> JobRun:
    """Runs one CronJob now, as `kubectl create job --from=cronjob/NAME` would.

    Args:
        workspace: Where kubeconfig and logs are.
        region: Region whose API server holds the CronJob.
        name: Name of the CronJob.
        namespace: Its namespace.
        node_environment: What a process finds on this machine in place of the real AWS.
        program: Folder that stands for the image's content: `operations/` and `catalog/`.
        show: Whether the process's output goes to the terminal as well.

    Raises:
        PlatformError: There is no such CronJob, or no Pod comes of it; the message says why.
    """
    core, batch = _clients(workspace, region)
    created = _create_job(batch, name, namespace, region)
    job = str(created.metadata.name)
    limit_seconds = created.spec.active_deadline_seconds
    pod = _wait_for_pod(core, job, namespace)
    log = workspace.logs / f"{region}-{job}.log"
    with tempfile.TemporaryDirectory(prefix="day2-pod-") as folder:
        environment = pod_environment.of_pod(
            core, pod, folder=Path(folder), kubeconfig=workspace.kubeconfig(region), node=node_environment
        )
        _set_status(core, pod, phase="Running", state={"running": {"startedAt": _now()}})
        started = _now()
        began = time.monotonic()
        exit_code = _run(pod, environment, limit_seconds, program=program, log=log, show=show)
        seconds = time.monotonic() - began
    phase = "Succeeded" if exit_code == 0 else "Failed"
    ended = {
        "terminated": {"exitCode": exit_code, "startedAt": started, "finishedAt": _now(), "reason": phase}
    }
    _set_status(core, pod, phase=phase, state=ended)
    _wait_for_end(batch, job, namespace)
    return JobRun(job=job, exit_code=exit_code, seconds=seconds, log=log)


def _clients(workspace: Workspace, region: str) -> tuple[Any, Any]:
    path = workspace.kubeconfig(region)
    if not path.is_file():
        regions = sorted(found.name for found in (workspace.root / "clusters").glob("*"))
        raise PlatformError(
            f"there is no region {region}: known are {', '.join(regions) or 'none'}",
            where=str(path),
            fix="choose one with REGION=…, or start the platform with `make up`",
        )
    api = api_client(path)
    return client.CoreV1Api(api), client.BatchV1Api(api)


def _create_job(batch: Any, name: str, namespace: str, region: str) -> Any:
    try:
        cron_job = batch.read_namespaced_cron_job(name, namespace)
    except ApiException as error:
        if error.status != _NOT_FOUND:
            raise
        known = [item.metadata.name for item in batch.list_namespaced_cron_job(namespace).items]
        raise PlatformError(
            f"there is no job {name} in {region}: known are {', '.join(known) or 'none'}",
            where=f"CronJobs of namespace {namespace}",
            fix="choose one with NAME=…, or `make up` after you added it to catalog/jobs.yaml",
        ) from None
    template = cron_job.spec.job_template
    template.spec.backoff_limit = 0  # one try: whoever runs it by hand wants to see how that one ends
    owner = client.V1OwnerReference(
        api_version="batch/v1", kind="CronJob", name=name, uid=cron_job.metadata.uid, controller=True
    )
    metadata = client.V1ObjectMeta(
        name=f"{name}-{datetime.now(UTC):%Y%m%d%H%M%S}",
        labels=template.metadata.labels,
        annotations={"cronjob.kubernetes.io/instantiate": "manual"},
        owner_references=[owner],
    )
    return batch.create_namespaced_job(
        namespace, client.V1Job(api_version="batch/v1", kind="Job", metadata=metadata, spec=template.spec)
    )


def _wait_for_pod(core: Any, job: str, namespace: str) -> Any:
    deadline = time.monotonic() + _POD_WAIT_SECONDS
    while time.monotonic() < deadline:
        pods = core.list_namespaced_pod(namespace, label_selector=f"batch.kubernetes.io/job-name={job}").items
        if pods:
            return pods[0]
        time.sleep(_POLL_SECONDS)
    events = core.list_namespaced_event(namespace, field_selector=f"involvedObject.name={job}").items
    reasons = "; ".join(event.message for event in events) or "the Job controller said nothing"
    raise PlatformError(
        f"no Pod came of Job {job}: {reasons}",
        where=f"namespace {namespace}",
        fix="mend the CronJob in components/jobs, or see the controller manager's log",
    )


def _run(
    pod: Any,
    environment: Mapping[str, str],
    limit_seconds: int | None,
    *,
    program: Path,
    log: Path,
    show: bool,
) -> int:
    container = pod.spec.containers[0]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [*(container.command or []), *(container.args or [])],
            cwd=program,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        timer = threading.Timer(limit_seconds, process.kill) if limit_seconds else None
        if timer:
            timer.start()
        try:
            for line in process.stdout or ():
                stream.write(line)
                if show:
                    sys.stdout.write(line)
            return process.wait()
        finally:
            if timer:
                timer.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()


def _set_status(core: Any, pod: Any, *, phase: str, state: dict[str, Any]) -> None:
    container = pod.spec.containers[0]
    status = {
        "phase": phase,
        "containerStatuses": [
            {
                "name": container.name,
                "image": container.image,
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": state,
            }
        ],
    }
    core.patch_namespaced_pod_status(pod.metadata.name, pod.metadata.namespace, {"status": status})


def _wait_for_end(batch: Any, job: str, namespace: str) -> None:
    deadline = time.monotonic() + _END_WAIT_SECONDS
    while time.monotonic() < deadline:
        conditions = batch.read_namespaced_job(job, namespace).status.conditions or []
        if any(c.type in ("Complete", "Failed") and c.status == "True" for c in conditions):
            return
        time.sleep(_POLL_SECONDS)
    raise PlatformError(
        f"Job {job} ended, but the Job controller did not take note of it",
        where=f"namespace {namespace}",
        fix="see the controller manager's log; `make up` restarts it if it has stopped",
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
