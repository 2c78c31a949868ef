"""What the plugin tests hold in their hands: the running platform, and a Pulumi stack on it."""

import json
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.plugins.kubernetes.client import Cluster

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True)
class Platform:
    """Where everything listens, and the environment that programs need to find it."""

    kubeconfig: Path
    endpoint: str
    pulumi: str
    environment: dict[str, str]

    @property
    def cluster(self) -> Cluster:
        return Cluster(str(self.kubeconfig))

    def aws(self, service: str, region: str = "us-east-1") -> Any:
        import boto3  # noqa: PLC0415 slow, and not needed by every test

        return boto3.client(  # type: ignore[call-overload]  # the service is data here
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@dataclass
class Stack:
    """A Pulumi project with one stack in a folder of its own."""

    platform: Platform
    folder: Path
    environment: dict[str, str]

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(textwrap.dedent(program))

    def configure(self, **values: object) -> None:
        """Set configuration values; much faster than `pulumi config set`."""
        path = self.folder / "Pulumi.test.yaml"
        settings = yaml.safe_load(path.read_text())
        known = settings.setdefault("config", {})
        known.update({f"plugins:{key}": value for key, value in values.items()})
        path.write_text(yaml.safe_dump(settings))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [self.platform.pulumi, "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if check and result.returncode:
            pytest.fail(f"pulumi {' '.join(arguments)}:\n{result.stdout}\n{result.stderr}")
        return result

    def preview(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.pulumi("preview", "--diff", *arguments, check=check)

    def up(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, check=check)

    def drift(self) -> dict[str, str]:
        """What a refresh would change: URN -> operation. Leaves the state as it is."""
        environment = {**self.environment, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
        result = Stack(self.platform, self.folder, environment).pulumi("refresh", "--preview-only", "--json")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        done = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
        return {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in done if step["op"] != "same"}

    def destroy(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").stdout)
        return found
