"""OperationsNamespace: the namespace that the platform's own jobs run in."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.context import Context
from components.kubernetes_object import kubernetes_object
from components.namespace.manifests import default_deny, restricted_namespace
from components.tags import kubernetes_labels


@dataclass(frozen=True, kw_only=True)
class OperationsNamespaceArgs:
    """What OperationsNamespace needs.

    Attributes:
        context: Where it stands.
        namespace: Name of the namespace.

    Raises:
        ValueError: The name is empty or one that Kubernetes keeps for itself.
    """

    context: Context
    namespace: str = "day2-system"

    def __post_init__(self) -> None:
        if not self.namespace or self.namespace.startswith("kube-"):
            raise ValueError(
                f"namespace {self.namespace!r} can't be used: choose a name that does not start with kube-"
            )


class OperationsNamespace(pulumi.ComponentResource):
    """A namespace with the restricted pod-security level enforced and all traffic denied.

    Example:
        >>> namespace = OperationsNamespace(
        ...     "eu-central-1-namespace",
        ...     OperationsNamespaceArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...     ),
        ... )
    """

    namespace: pulumi.Output[str]
    """Name of the namespace, known once it exists."""

    def __init__(
        self, name: str, args: OperationsNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("day2:namespace:OperationsNamespace", name, None, opts)
        labels = kubernetes_labels(args.context, "namespace")
        namespace = kubernetes_object(
            f"{name}-namespace",
            restricted_namespace(args.namespace, labels),
            pulumi.ResourceOptions(parent=self),
        )
        self.namespace = namespace.id.apply(lambda _: args.namespace)
        kubernetes_object(
            f"{name}-default-deny",
            default_deny(args.namespace, labels),
            pulumi.ResourceOptions(parent=self, depends_on=[namespace]),
        )
        self.register_outputs({"namespace": self.namespace})
