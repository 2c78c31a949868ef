"""The Go toolchain as this project uses it: check it, build a program, download a module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.errors import InstallError

_SWITCHES_TOOLCHAINS = (1, 21)  # since this Go version `go` fetches the toolchain that go.mod asks for
_PROGRESS_SECONDS = 15
_MIN_FREE_BYTES = 1 << 30  # building kube-apiserver takes about this much in the build cache alone

# Text in the output of `go` -> what to tell the user. First match wins.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"no space left on device",
        "the disk is full",
        "free some space (`go clean -cache` helps) and run again",
    ),
    (
        r"checksum mismatch|SECURITY ERROR",
        "a downloaded module is not the one that go.sum pins",
        "check GOPROXY (`go env GOPROXY`), then `go clean -modcache` and run again",
    ),
    (
        r"dial tcp|proxyconnect|no such host|i/o timeout|connection refused|TLS handshake|https?:\S+: \d{3}",
        "the Go module proxy cannot be reached",
        "check the network and GOPROXY (`go env GOPROXY`), then run again; nothing is lost",
    ),
    (
        r"requires go >= |toolchain not available",
        "this Go is too old for the pinned modules",
        "install the Go version that the log names, or set GOTOOLCHAIN=auto",
    ),
)


def go_program() -> str:
    """Find `go`.

    Raises:
        InstallError: There is none on PATH.
    """
    found = shutil.which("go")
    if not found:
        raise InstallError(
            "Go is not installed, and it is needed to build the pinned programs",
            where=f"PATH={os.environ.get('PATH', '')}",
            fix="install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH",
        )
    return found


def require_version(go: str, module_dir: Path) -> None:
    """Refuse a Go older than go.mod's `go` line that cannot fetch a newer toolchain by itself.

    Raises:
        InstallError: Too old; names both versions.
    """
    needed = re.search(r"^go (\S+)", (module_dir / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    answer = subprocess.run(
        [go, "env", "GOVERSION", "GOTOOLCHAIN"], cwd="/", capture_output=True, text=True, check=False
    )
    version, _, toolchain = answer.stdout.partition("\n")
    have = _numbers(version)
    if needed is None or not have or have >= _numbers(needed[1]):
        return
    if have >= _SWITCHES_TOOLCHAINS and not toolchain.strip().startswith("local"):
        return
    raise InstallError(
        f"{version} is too old: {module_dir.name} needs Go {needed[1]} or newer",
        where=go,
        fix="install a newer Go from https://go.dev/dl/",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def build(
    *, module_dir: Path, package: str, ldflags: str, output: Path, log: Path, say: Callable[[str], None]
) -> None:
    """Build one command from pinned sources; go.sum decides what may be compiled.

    Args:
        module_dir: Folder with go.mod and go.sum.
        package: Import path of the command.
        ldflags: Linker flags.
        output: Where the program goes.
        log: Receives everything that `go` prints.
        say: Called every 15 s with the time elapsed.

    Raises:
        InstallError: Go is missing or too old, the disk full, the proxy out of reach, the build broken.
    """
    go = go_program()
    require_version(go, module_dir)
    require_space(output.parent)
    # -mod=readonly on the command line outranks the user's GOFLAGS; GOWORK=off ignores a go.work above.
    command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", ldflags, "-o", str(output), package]
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command, cwd=module_dir, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, output.name, say)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        raise _explain(
            f"building {output.name} failed", log.read_text(encoding="utf-8", errors="replace"), str(log)
        )


def _wait(process: subprocess.Popen[bytes], name: str, say: Callable[[str], None]) -> None:
    started = time.monotonic()
    while True:
        try:
            process.wait(_PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"  ... still building {name} ({time.monotonic() - started:.0f} s)")
        else:
            return


def require_space(folder: Path) -> None:
    """Refuse to start a build on an almost full disk.

    Raises:
        InstallError: Less than 1 GiB is free.
    """
    free = shutil.disk_usage(folder).free
    if free < _MIN_FREE_BYTES:
        raise InstallError(
            f"only {free >> 20} MiB of disk are free; a build needs about 1 GiB",
            where=str(folder),
            fix="free some space, or set XDG_CACHE_HOME to a larger disk",
        )


def _explain(what: str, output: str, where: str) -> InstallError:
    for pattern, cause, fix in _CAUSES:
        if re.search(pattern, output):
            return InstallError(f"{what}: {cause}", where=where, fix=fix)
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
    return InstallError(
        f"{what}: {last.strip()}",
        where=where,
        fix="read the log; `go clean -cache` if it looks like a broken cache",
    )


def download_module(path: str, version: str, sum_h1: str) -> Path:
    """Download a Go module's sources and return their (read-only) folder in the module cache.

    `go` itself compares the archive with `sum_h1` before it unpacks it; what it reports is compared again.

    Args:
        path: Module path, e.g. `github.com/kedacore/keda/v2`.
        version: Module version, e.g. `v2.21.0`.
        sum_h1: The module's `h1:` hash as in go.sum.

    Raises:
        InstallError: Go is missing, the proxy out of reach, or the sources are not the pinned ones.
    """
    module = f"{path}@{version}"
    with tempfile.TemporaryDirectory(prefix="day2-module-") as folder:
        # A throw-away main module: its go.sum is what `go` checks the archive against, and the
        # repository's own go.mod and go.sum stay untouched.
        Path(folder, "go.mod").write_text("module day2.tools/download\n\ngo 1.21\n", encoding="utf-8")
        Path(folder, "go.sum").write_text(f"{path} {version} {sum_h1}\n", encoding="utf-8")
        answer = subprocess.run(
            [go_program(), "mod", "download", "-json", module],
            cwd=folder,
            # The sum database would only confirm what the pinned sum already decides.
            env=os.environ | {"GOWORK": "off", "GOSUMDB": "off"},
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        facts = json.loads(answer.stdout)
    except json.JSONDecodeError:
        facts = {}
    if answer.returncode != 0 or "Dir" not in facts:
        raise _explain(f"downloading {module} failed", str(facts.get("Error", "")) + answer.stderr, module)
    if facts["Sum"] != sum_h1:
        raise InstallError(
            f"{module} has the sum {facts['Sum']}, pinned is {sum_h1}",
            where=facts["Dir"],
            fix="do not use it; check GOPROXY and `go clean -modcache`",
        )
    return Path(facts["Dir"])
