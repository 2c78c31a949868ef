"""Entry point of ``pulumi-resource-aws``."""

from local.plugins.aws.backend import AwsBackend
from local.plugins.provider import run


def main() -> None:
    """Serve the engine that started this process."""
    run(AwsBackend())
