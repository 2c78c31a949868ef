"""Tags of AWS resources and labels of Kubernetes objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.context import Context


def aws_tags(context: Context, component: str) -> dict[str, str]:
    """Tags that every AWS resource carries.

    Args:
        context: Where it stands.
        component: What it belongs to, such as `evidence`.
    """
    return {
        "day2:environment": context.environment,
        "day2:owner": context.owner,
        "day2:region": context.region,
        "day2:component": component,
    }


def kubernetes_labels(context: Context, component: str) -> dict[str, str]:
    """Labels that every Kubernetes object carries (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/).

    Args:
        context: Where it stands.
        component: What it belongs to, such as `nightly-evidence`.
    """
    return {
        "app.kubernetes.io/part-of": "day2",
        "app.kubernetes.io/managed-by": "pulumi",
        "app.kubernetes.io/component": component,
        "day2.dev/environment": context.environment,
        "day2.dev/owner": context.owner,
    }
