"""Registers a Kubernetes object from its manifest, so that renderers stay plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping


def kubernetes_object(
    name: str, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> pulumi.CustomResource:
    """Registers one object of any kind with the Kubernetes provider of its parent.

    Args:
        name: Logical name.
        manifest: The object; values may be Pulumi outputs.
        opts: Resource options, with the component as parent.

    Returns:
        The resource; its type token is the one of pulumi-kubernetes, `kubernetes:apps/v1:Deployment`.
    """
    api_version: str = manifest["apiVersion"]
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return pulumi.CustomResource(f"kubernetes:{group_version}:{manifest['kind']}", name, dict(manifest), opts)
