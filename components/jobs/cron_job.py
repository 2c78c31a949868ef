"""A job's CronJob, ConfigMap, Secret and service account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.jobs.iam import TOKEN_AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.jobs import Job

_RETRIES = 2
_KEPT_RUNS = 3
_START_DEADLINE_SECONDS = 3_600
_USER_ID = 65_532  # "nonroot" of distroless images, and of ours


def service_account(metadata: Mapping[str, Any], *, role_arn: Any) -> dict[str, Any]:
    """The service account of a job; the annotation is what EKS reads to inject the role.

    Args:
        metadata: Name, namespace and labels of the object.
        role_arn: ARN of the job's IAM role.
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            **metadata,
            "annotations": {
                "eks.amazonaws.com/role-arn": role_arn,
                "eks.amazonaws.com/audience": TOKEN_AUDIENCE,
                "eks.amazonaws.com/sts-regional-endpoints": "true",
            },
        },
    }


def config_map(metadata: Mapping[str, Any], *, data: Mapping[str, Any]) -> dict[str, Any]:
    """The environment variables of a job that are no secrets.

    Args:
        metadata: Name, namespace and labels of the object.
        data: Values by variable; they may be outputs.
    """
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": dict(metadata),
        "data": dict(data),
    }


def secret(metadata: Mapping[str, Any], *, data: Mapping[str, Any]) -> dict[str, Any]:
    """The environment variables of a job that are secrets.

    Args:
        metadata: Name, namespace and labels of the object.
        data: Secret outputs by variable.
    """
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": dict(metadata),
        "type": "Opaque",
        "stringData": dict(data),
    }


def cron_job(
    metadata: Mapping[str, Any],
    *,
    command: str,
    job: Job,
    image: str,
    pod_labels: Mapping[str, str],
    secret_name: str | None,
) -> dict[str, Any]:
    """The CronJob: one run at a time, ended at its timeout, restricted pod security.

    Args:
        metadata: Name, namespace and labels of the object; service account and ConfigMap have the same name.
        command: Name of the job in `python -m operations`.
        job: The catalogue entry.
        image: Image of `operations/`, by digest.
        pod_labels: Labels of the pods, which its NetworkPolicy selects.
        secret_name: Name of its Secret, None for none.
    """
    name = metadata["name"]
    sources: list[dict[str, Any]] = [{"configMapRef": {"name": name}}]
    if secret_name is not None:
        sources.append({"secretRef": {"name": secret_name}})
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            **metadata,
            "annotations": {"day2.dev/description": job.description, "day2.dev/runbook": job.runbook},
        },
        "spec": {
            "schedule": job.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": _START_DEADLINE_SECONDS,
            "successfulJobsHistoryLimit": _KEPT_RUNS,
            "failedJobsHistoryLimit": _KEPT_RUNS,
            "jobTemplate": {
                "metadata": {"labels": dict(pod_labels)},
                "spec": {
                    "activeDeadlineSeconds": int(job.timeout.total_seconds()),
                    "backoffLimit": _RETRIES,
                    "template": {
                        "metadata": {"labels": dict(pod_labels)},
                        "spec": _pod_spec(name, command, job, image, sources),
                    },
                },
            },
        },
    }


def _pod_spec(name: str, command: str, job: Job, image: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "serviceAccountName": name,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER_ID,
            "runAsGroup": _USER_ID,
            "fsGroup": _USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "job",
                "image": image,
                "command": ["python", "-m", "operations", command],
                "envFrom": sources,
                "resources": {
                    "requests": {"cpu": job.resources.cpu, "memory": job.resources.memory},
                    "limits": {"memory": job.resources.memory},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 a volume of the pod's own
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
