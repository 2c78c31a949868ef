"""Loopback ports: chosen once per workspace, recorded, kept as long as they are free."""

from __future__ import annotations

import json
import random
import socket
import threading

import psutil

from local.errors import PlatformError
from local.workspace import Workspace

LOOPBACK = "127.0.0.1"

# Below Linux's ephemeral range (32768-60999), so that no outgoing connection borrows a recorded port.
_FIRST, _LAST = 20000, 32000
_ATTEMPTS = 200

_recording = threading.Lock()


def claim(workspace: Workspace, name: str, *, movable: bool) -> int:
    """Return the port recorded under `name`, or choose, record and return a free one.

    Call it only for a process that is about to start: a port held by the process itself looks taken.

    Control planes are movable: their address stands only in files written at every start (the
    kubeconfig), and the Pulumi provider knows a cluster by its `cluster_identifier`. The AWS emulator
    is not: its address becomes part of what it hands out (SQS queue URLs), and so of the Pulumi state.

    Args:
        workspace: Where ports.json is.
        name: Who wants it, e.g. `us-east-1/kube-apiserver`.
        movable: Whether another port may be chosen when the recorded one is taken.

    Raises:
        PlatformError: The recorded port is taken and not movable (names the holder), or none is free.
    """
    with _recording:
        ports = recorded(workspace)
        port = ports.get(name)
        if port is not None and is_free(port):
            return port
        if port is not None and not movable:
            raise PlatformError(
                f"port {port}, which {name} of this workspace uses, is taken by {holder(port)}",
                where=str(workspace.ports_file),
                fix=f"end that process, or delete {name!r} from the file to choose another port",
            )
        ports[name] = _choose(set(ports.values()))
        partial = workspace.ports_file.with_suffix(".partial")
        partial.write_text(json.dumps(ports, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(workspace.ports_file)
        return ports[name]


def recorded(workspace: Workspace) -> dict[str, int]:
    """All recorded ports by name; empty before the first start.

    Raises:
        PlatformError: The file is no JSON object of numbers.
    """
    try:
        ports = json.loads(workspace.ports_file.read_text(encoding="utf-8"))
        return {str(name): int(port) for name, port in ports.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise PlatformError(
            f"the recorded ports cannot be read: {error}",
            where=str(workspace.ports_file),
            fix="stop the platform and delete the file: new ports are chosen",
        ) from error


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection in TIME_WAIT does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def holder(port: int) -> str:
    """Who listens on a port, for messages: `NAME (pid N)`, or `another process` where it cannot be seen."""
    try:
        connections = psutil.net_connections(kind="tcp")
        pids = [
            connection.pid
            for connection in connections
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
        if pids and pids[0]:
            return f"{psutil.Process(pids[0]).name()} (pid {pids[0]})"
    except psutil.Error:
        pass
    return "another process"


def _choose(taken: set[int]) -> int:
    for _ in range(_ATTEMPTS):
        port = random.randint(_FIRST, _LAST)  # noqa: S311 spread between checkouts, no secret
        if port not in taken and is_free(port):
            return port
    raise PlatformError(
        f"no free port between {_FIRST} and {_LAST}", where=LOOPBACK, fix="end programs that are not needed"
    )
