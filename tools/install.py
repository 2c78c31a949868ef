"""Provide the pinned programs: from PATH, the cache, an official release, or built from source.

`python -m tools install [NAME ...]` on the command line; `ensure(name)` as a library.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools import golang, releases
from tools.errors import InstallError
from tools.programs import PROGRAMS, Program

_PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"


def cache_root() -> Path:
    """The folder of everything this installer keeps, under the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "day2" / "tools"


def cached_path(program: Program) -> Path:
    """Where the cached program is or will be; the path changes with everything that shapes the build."""
    digest = hashlib.sha256()
    for part in (
        (program.module_dir / "go.mod").read_bytes(),
        (program.module_dir / "go.sum").read_bytes(),
        program.ldflags.encode(),
        platform.machine().encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return cache_root() / f"{program.name}-{program.version}-{digest.hexdigest()[:12]}" / program.name


def ensure(name: str) -> Path:
    """Provide one program and return its absolute path.

    Args:
        name: A name in `tools.programs.PROGRAMS`.

    Raises:
        InstallError: Unknown name, or none of the ways worked; says why and what to do.
    """
    program = PROGRAMS.get(name)
    if program is None:
        raise InstallError(
            f"there is no program {name!r}", where="tools/programs.py", fix=f"one of: {', '.join(PROGRAMS)}"
        )
    found = on_path(program)
    if found:
        return found
    target = cached_path(program)
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(target.parent.with_suffix(".lock"), name):
            if not target.is_file():
                _provide(program, target)
    except OSError as error:
        raise InstallError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(target.parent),
            fix="free some space or mend the permissions, or set XDG_CACHE_HOME to another folder",
        ) from error
    return target


def on_path(program: Program) -> Path | None:
    """The program on PATH if it is exactly the pinned version, else None."""
    found = shutil.which(program.name)
    return Path(found) if found and _version(found, program) == program.version else None


@functools.lru_cache
def _version(path: str, program: Program) -> str:
    try:
        answer = subprocess.run(
            [path, *program.version_arguments], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(program.version_pattern, answer.stdout + answer.stderr, re.MULTILINE)
    return match[1] if match else ""


def _provide(program: Program, target: Path) -> None:
    """Fill the cache: a release where one is known for this platform, else a build."""
    # Beside the target, so that the last step is a rename: nobody ever sees half a program.
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as folder:
        output = Path(folder, program.name)
        if not releases.download(program, output, _say):
            _say(
                f"building {program.name} {program.version} from source"
                f" (once; usually {program.build_minutes:g} min on 2 cores)"
            )
            started = time.monotonic()
            golang.build(
                module_dir=program.module_dir,
                package=program.package,
                ldflags=program.ldflags,
                output=output,
                log=target.parent / "build.log",
                say=_say,
            )
            _say(f"built {program.name} in {time.monotonic() - started:.0f} s: {target}")
        output.chmod(0o755)
        output.replace(target)


@contextlib.contextmanager
def _only_one(lock: Path, name: str) -> Iterator[None]:
    """Hold the file lock of one program; a second process waits and says so."""
    with lock.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            _say(f"waiting for process {stream.read().strip() or '?'}, which is installing {name}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        stream.truncate()
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def language_python_exec() -> Path:
    """The script that runs a Pulumi Python program, from the SDK's Go module at the pinned version.

    Raises:
        InstallError: The module cannot be downloaded or is not the pinned one.
    """
    go_sum = (PROGRAMS["pulumi"].module_dir / "go.sum").read_text(encoding="utf-8")
    version = PROGRAMS["pulumi"].version
    pinned = re.search(rf"^{re.escape(_PULUMI_SDK)} {re.escape(version)} (h1:\S+)$", go_sum, re.MULTILINE)
    if pinned is None:
        raise InstallError(
            f"go.sum does not pin {_PULUMI_SDK} {version}",
            where="tools/pulumi/go.sum",
            fix="engine and SDK must have the same version; mend tools/programs.py or go.mod",
        )
    folder = golang.download_module(_PULUMI_SDK, version, pinned[1])
    return folder / "python" / "cmd" / "pulumi-language-python-exec"


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
