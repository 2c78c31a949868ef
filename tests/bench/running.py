"""Runs a Pulumi program as the engine's language host does, and measures it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.monitor import Log, serve
from tests.bench.programs import STACK
from tools.install import language_python_exec


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a program.

    Attributes:
        start_seconds: Of it until its first registration: interpreter, imports, catalogue.
        seconds: From the start of its process to the answer to its last registration.
        end_seconds: Until the end of its process, when every answer has been worked on too.
        cpu_seconds: CPU time of its process, user and system, until its end.
        log: What it registered.
    """

    start_seconds: float
    seconds: float
    end_seconds: float
    cpu_seconds: float
    log: Log


def run(program: Path, settings: Mapping[str, Any] | None = None) -> Run:
    """Runs a program to its end.

    Args:
        program: Its folder.
        settings: The `platform` object of the stack, None for a program without.

    Raises:
        RuntimeError: The program failed.
    """
    log = Log()
    config = {} if settings is None else {"day2:platform": json.dumps(settings)}
    # Compiled modules as on a user's machine, but apart from the checkout's.
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        **inherited,
        "PYTHONPYCACHEPREFIX": str(program.parent / "compiled"),
        "PULUMI_CONFIG": json.dumps(config),
        "PULUMI_CONFIG_SECRET_KEYS": "[]",
        "PYTHONPATH": str(program),
    }
    with serve(log) as address:
        options = {
            "monitor": address,
            "engine": address,
            "project": "day2",
            "root_directory": str(program),
            "stack": STACK,
            "pwd": str(program),
            "dry_run": "false",
            "parallel": str(4 * (os.cpu_count() or 1)),  # the engine's default
            "organization": "organization",
        }
        named = [part for name, value in options.items() for part in (f"--{name}", value)]
        command = [sys.executable, "-u", str(language_python_exec()), *named, "."]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=program, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the program in {program} failed: {' '.join(log.messages)}")
    return Run(
        start_seconds=log.first - began,
        seconds=log.last - began,
        end_seconds=ended - began,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        log=log,
    )
