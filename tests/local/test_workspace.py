from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local import ports, processes
from local.errors import PlatformError
from local.processes import ProcessFailedError
from local.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]
SLEEP = [sys.executable, "-c", "import time; print('here I am', flush=True); time.sleep(600)"]


def in_another_process(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_second_command_is_refused_with_the_pid_of_the_first(workspace: Workspace) -> None:
    first = in_another_process(
        "import time; from pathlib import Path; from local.workspace import Workspace\n"
        f"with Workspace(Path({str(workspace.root)!r})).lock('make up'):\n"
        "    print('ready', flush=True); time.sleep(600)"
    )
    try:
        with (
            pytest.raises(PlatformError, match=rf"in use by `make up` \(pid {first.pid}\)"),
            workspace.lock("make down"),
        ):
            pass
    finally:
        first.kill()
        first.wait()
    # A killed holder leaves nothing that would be in the way.
    with workspace.lock("make down"):
        assert "make down" in (workspace.root / "lock").read_text()


def test_started_processes_do_not_inherit_the_lock(workspace: Workspace) -> None:
    with workspace.lock("make up"):
        processes.start(workspace, "daemon", SLEEP)
    with workspace.lock("make down"):
        assert processes.find(workspace, "daemon")


def test_a_port_is_chosen_once_and_kept(workspace: Workspace) -> None:
    first = ports.claim(workspace, "us-east-1/etcd", movable=True)
    other = ports.claim(workspace, "us-east-1/kube-apiserver", movable=True)
    assert ports.claim(workspace, "us-east-1/etcd", movable=True) == first
    assert other != first
    assert json.loads(workspace.ports_file.read_text())["us-east-1/etcd"] == first


def test_a_taken_port_is_exchanged_where_that_does_no_harm_and_else_an_error(workspace: Workspace) -> None:
    port = ports.claim(workspace, "server", movable=True)
    with socket.create_server((ports.LOOPBACK, port)):
        with pytest.raises(PlatformError, match=rf"port {port}, .* taken by .* \(pid {os.getpid()}\)"):
            ports.claim(workspace, "server", movable=False)
        assert ports.claim(workspace, "server", movable=True) != port


def test_unreadable_recorded_ports_are_one_clear_error(workspace: Workspace) -> None:
    workspace.ports_file.write_text("{")
    with pytest.raises(PlatformError, match="recorded ports cannot be read") as caught:
        ports.claim(workspace, "server", movable=True)
    assert str(workspace.ports_file) in str(caught.value)


def test_a_process_is_found_again_and_stopped(workspace: Workspace) -> None:
    record = processes.start(workspace, "us-east-1/daemon", SLEEP)
    assert processes.find(workspace, "us-east-1/daemon") == record
    assert os.getsid(record.pid) == record.pid  # Ctrl-C at our terminal does not reach it
    assert processes.stop(workspace, "us-east-1/daemon")
    assert not processes.is_alive(record)
    assert processes.find(workspace, "us-east-1/daemon") is None
    assert not processes.stop(workspace, "us-east-1/daemon")


def test_a_recycled_pid_is_not_taken_for_ours(workspace: Workspace) -> None:
    stranger = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    try:
        processes.start(workspace, "daemon", SLEEP)
        processes.stop(workspace, "daemon")
        record = {"pid": stranger.pid, "started": time.time() - 3600, "command": SLEEP}
        (workspace.run / "daemon.json").write_text(json.dumps(record))
        assert processes.find(workspace, "daemon") is None
        assert not processes.stop(workspace, "daemon")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ignores_term_is_killed(workspace: Workspace) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True)"
    record = processes.start(workspace, "stubborn", [sys.executable, "-c", f"{stubborn}; time.sleep(600)"])
    log = processes.log_path(workspace, "stubborn")
    processes.wait_ready(workspace, "stubborn", lambda: log.read_text() == "1\n", 10)
    processes.stop(workspace, "stubborn", timeout_seconds=0.3)
    assert not processes.is_alive(record)


def test_a_process_that_ends_while_starting_is_named_with_its_last_words(workspace: Workspace) -> None:
    processes.start(workspace, "server", [sys.executable, "-c", "raise SystemExit('no such flag')"])
    with pytest.raises(ProcessFailedError, match=r"server ended while starting(.|\n)*no such flag") as caught:
        processes.wait_ready(workspace, "server", lambda: False, 10)
    assert str(processes.log_path(workspace, "server")) in str(caught.value)


def test_a_process_that_never_gets_ready_is_an_error_after_the_time_limit(workspace: Workspace) -> None:
    processes.start(workspace, "slow", SLEEP)
    with pytest.raises(ProcessFailedError, match=r"slow is not ready after 0\.3 s"):
        processes.wait_ready(workspace, "slow", lambda: False, 0.3)


def test_a_program_that_does_not_exist_is_one_clear_error(workspace: Workspace) -> None:
    with pytest.raises(PlatformError, match="ghost cannot be started: No such file"):
        processes.start(workspace, "ghost", ["/nonexistent/ghost"])


def test_processes_end_with_the_process_they_are_tied_to_even_if_it_is_killed(workspace: Workspace) -> None:
    owner = in_another_process(
        "import os, time; from pathlib import Path; from local import processes\n"
        f"from local.workspace import Workspace; w = Workspace(Path({str(workspace.root)!r}))\n"
        "processes.end_with(w, os.getpid())\n"
        f"processes.start(w, 'daemon', {SLEEP!r})\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    record = processes.find(workspace, "daemon")
    assert record is not None
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    gone, _ = psutil.wait_procs([psutil.Process(record.pid)], timeout=20)
    assert [process.pid for process in gone] == [record.pid]


def test_a_workspace_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="workspace cannot be written"):
        Workspace(tmp_path / "file" / "day2").create()
