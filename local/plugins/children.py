"""Child processes that never outlive their parent, however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

GRACE_SECONDS = 2.0

# Run by a plain interpreter before it becomes the child: asks Linux to kill it when the parent dies
# (PR_SET_PDEATHSIG is 1). A preexec_fn could do the same, but is not safe in a process with threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Children:
    """The running children of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(
        self, command: Sequence[str], *, cwd: str | None, env: Mapping[str, str], capture: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start ``command`` in its own process group, so that a Ctrl-C reaches it only through `end`.

        Args:
            command: The program, as an absolute path, and its arguments.
            cwd: The folder to run it in.
            env: Its whole environment.
            capture: Pipe its output instead of passing this process's own streams on.
        """
        output = subprocess.PIPE if capture else None
        with self._lock:
            if self._closed:
                raise RuntimeError("this process is ending")
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End ``process`` and what it started; one that has ended already is fine."""
        with self._lock:
            self._running.discard(process)
        if process.poll() is None:
            _signal_group(process, signal.SIGTERM)
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def end_all(self) -> None:
        """End every child and start no more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            self.end(process)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
