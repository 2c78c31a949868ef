"""Entry point of ``pulumi-resource-kubernetes``."""

from local.plugins.kubernetes.backend import KubernetesBackend
from local.plugins.provider import run


def main() -> None:
    """Serve the engine that started this process."""
    run(KubernetesBackend())
