"""Long-running processes: start them detached, know them again, wait until ready, stop them.

A record (`run/<name>.json`) holds pid, start time and command of each. A recycled pid is never taken
for our process, because its start time differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from local.errors import PlatformError
from local.workspace import Workspace

_POLL_SECONDS = 0.05
_STOP_SECONDS = 10.0
_STOP_ALL_SECONDS = 5.0
_LOG_LINES = 15
# psutil derives the start time from the boot time, which the clock's adjustment may shift a little.
_START_TOLERANCE_SECONDS = 2.0

REPOSITORY = Path(__file__).absolute().parent.parent

# Popen objects of our children: kept so that they are not reported as forgotten while they run on.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Record:
    """What is remembered of a started process."""

    pid: int
    started: float
    command: tuple[str, ...]


class ProcessFailedError(PlatformError):
    """A process ended or did not become ready; the message carries the end of its log."""


def log_path(workspace: Workspace, name: str) -> Path:
    """The log file of a process; `/` in its name becomes `-`."""
    return workspace.logs / f"{_file_name(name)}.log"


def start(
    workspace: Workspace, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Record:
    """Start a process that outlives this one, with its output in its log file.

    It gets a session of its own: Ctrl-C at the terminal does not reach it. The log of the run before is
    kept as `<name>.previous.log`.

    Args:
        workspace: Where record and log go.
        name: Process name, e.g. `us-east-1/etcd`.
        command: Program and arguments.
        environment: Variables in addition to this process's own.

    Raises:
        PlatformError: The program cannot be run.
    """
    log = log_path(workspace, name)
    if log.exists():
        # The last words of a failed start must be its own.
        log.replace(log.with_name(f"{log.stem}.previous.log"))
    try:
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command,
                cwd=workspace.root,
                env=os.environ | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise PlatformError(
            f"{name} cannot be started: {error.strerror}", where=str(command[0]), fix="run `make up` again"
        ) from error
    _children.append(process)
    record = Record(process.pid, _start_time(process.pid), tuple(command))
    path = _record_path(workspace, name)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(path)
    return record


def find(workspace: Workspace, name: str) -> Record | None:
    """The running process of this name, or None."""
    try:
        facts = json.loads(_record_path(workspace, name).read_text(encoding="utf-8"))
        record = Record(int(facts["pid"]), float(facts["started"]), tuple(facts["command"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return record if is_alive(record) else None


def is_alive(record: Record) -> bool:
    """Whether this very process runs (a zombie does not)."""
    try:
        process = psutil.Process(record.pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - record.started) < _START_TOLERANCE_SECONDS
        )
    except psutil.Error:
        return False


def stop(workspace: Workspace, name: str, timeout_seconds: float = _STOP_SECONDS) -> bool:
    """End a process: TERM, and KILL after the time limit.

    Returns:
        Whether there was one to end.
    """
    record = find(workspace, name)
    if record is not None:
        _end(record, timeout_seconds)
    _record_path(workspace, name).unlink(missing_ok=True)
    return record is not None


def _end(record: Record, timeout_seconds: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(record.pid)
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout_seconds)
    for child in list(_children):
        if child.poll() is not None:
            _children.remove(child)


def stop_all(workspace: Workspace) -> list[str]:
    """End every process that this workspace has a record of, and return their names.

    Groups (what stands before the `/` of a name) end at the same time; inside a group the newest goes
    first, because what was started later depends on what was there before.
    """
    # By the records' own times: start times are too coarse to tell processes apart that started together.
    records = sorted(workspace.run.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    groups: dict[str, list[str]] = {}
    for path in records:
        name = path.stem.replace("--", "/")
        groups.setdefault(name.partition("/")[0], []).append(name)

    def stop_group(group: list[str]) -> list[str]:
        return [name for name in group if stop(workspace, name, _STOP_ALL_SECONDS)]

    with ThreadPoolExecutor(max_workers=max(1, len(groups))) as pool:
        return [name for stopped in pool.map(stop_group, groups.values()) for name in stopped]


def wait_ready(
    workspace: Workspace,
    name: str,
    is_ready: Callable[[], bool],
    timeout_seconds: float,
    needs: Sequence[str] = (),
) -> None:
    """Wait until a started process does its work.

    Args:
        workspace: Where its record and log are.
        name: Process name.
        is_ready: Asked every 50 ms; False means not yet.
        timeout_seconds: Time limit.
        needs: Processes that it cannot do without: one of them that ended is the one to blame.

    Raises:
        ProcessFailedError: One ended or the time is up; carries the last log lines and the log's path.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        if is_ready():
            return
        for watched in (*needs, name):
            if find(workspace, watched) is None:
                raise _failed(workspace, watched, "ended while starting")
        if time.monotonic() > deadline:
            raise _failed(workspace, name, f"is not ready after {timeout_seconds:g} s")
        time.sleep(_POLL_SECONDS)


def _failed(workspace: Workspace, name: str, what: str) -> ProcessFailedError:
    log = log_path(workspace, name)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    quoted = "\n".join(f"  | {line[:400]}" for line in lines)
    return ProcessFailedError(
        f"{name} {what}; its last words:\n{quoted}",
        where=str(log),
        fix="read the log; `make up` starts it again, `make clean` begins afresh",
    )


def end_with(workspace: Workspace, pid: int) -> subprocess.Popen[bytes]:
    """Tie this workspace's processes to another one: when `pid` is gone, all of them are ended.

    For tests: nothing survives a test run, even a killed one. A watching process does it, because the
    kernel's parent-death signal is tied to the *thread* that started the child and does not exist
    outside Linux.

    Returns:
        The watching process, to be ended when there is nothing left to watch.
    """
    record = Record(pid, _start_time(pid), ())
    arguments = [str(workspace.root), str(record.pid), str(record.started)]
    watcher = subprocess.Popen(
        [sys.executable, "-m", "local.processes", *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    _children.append(watcher)
    return watcher


def _watch() -> None:
    parser = argparse.ArgumentParser(description="End a workspace's processes when a process is gone.")
    parser.add_argument("root", type=Path)
    parser.add_argument("pid", type=int)
    parser.add_argument("started", type=float)
    arguments = parser.parse_args()
    record = Record(arguments.pid, arguments.started, ())
    while is_alive(record) and arguments.root.is_dir():
        time.sleep(1)
    # Twice: a start may have been under way when its caller died.
    for _ in range(2):
        stop_all(Workspace(arguments.root))
        time.sleep(1)


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _record_path(workspace: Workspace, name: str) -> Path:
    return workspace.run / f"{_file_name(name)}.json"


def _file_name(name: str) -> str:
    return name.replace("/", "--")


if __name__ == "__main__":
    _watch()
