"""Start, stop and inspect the AWS emulator of a workspace."""

from __future__ import annotations

import http.client
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local import ports, processes
from local.emulator.client import HEALTH_PATH, ROOT_ACCESS_KEY
from local.workspace import Workspace

NAME = "aws-emulator"

_READY_SECONDS = 60.0  # about 2 s on an idle machine
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """An emulator that answers.

    Attributes:
        endpoint: Its URL, for AWS_ENDPOINT_URL.
        started: Whether this call started it.
        seconds: How long the call took.
    """

    endpoint: str
    started: bool
    seconds: float

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 and the Pulumi provider need to find it; it takes any access key."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_ACCESS_KEY,
        }


@dataclass(frozen=True, kw_only=True)
class EmulatorStatus:
    """What `emulator_status` found; pid 0 and an empty endpoint when it does not run."""

    ready: bool
    pid: int
    endpoint: str
    log: Path


def start_emulator(workspace: Workspace) -> Emulator:
    """Start the emulator unless it runs, and wait until it answers.

    Raises:
        PlatformError: Its recorded port is taken by another process, or it does not start.
    """
    began = time.monotonic()
    workspace.create()
    record = processes.find(workspace, NAME)
    port = ports.recorded(workspace).get(NAME)
    started = False
    if record is None or port is None or list(record.command) != _command(workspace, port):
        processes.stop(workspace, NAME)
        port = ports.claim(workspace, NAME, movable=False)
        processes.start(workspace, NAME, _command(workspace, port), {"PYTHONPATH": str(processes.REPOSITORY)})
        started = True
    endpoint = _endpoint(port)
    processes.wait_ready(workspace, NAME, lambda: _answers(endpoint), _READY_SECONDS)
    return Emulator(endpoint=endpoint, started=started, seconds=time.monotonic() - began)


def stop_emulator(workspace: Workspace) -> bool:
    """End it; its state stays on disk. Returns whether it ran."""
    return processes.stop(workspace, NAME)


def emulator_status(workspace: Workspace) -> EmulatorStatus:
    """Look at it without changing anything."""
    record = processes.find(workspace, NAME)
    port = ports.recorded(workspace).get(NAME)
    endpoint = _endpoint(port) if record and port else ""
    return EmulatorStatus(
        ready=bool(endpoint) and _answers(endpoint),
        pid=record.pid if record else 0,
        endpoint=endpoint,
        log=processes.log_path(workspace, NAME),
    )


def _command(workspace: Workspace, port: int) -> list[str]:
    state = workspace.emulator / "state.pickle"
    return [sys.executable, "-m", "local.emulator", "--port", str(port), "--state", str(state)]


def _endpoint(port: int) -> str:
    return f"http://{ports.LOOPBACK}:{port}"


def _answers(endpoint: str) -> bool:
    # Not httpx: it loads the CA bundle for every request, and this one is sent every 50 ms.
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", HEALTH_PATH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
