"""Download an official release and check it before anything runs it."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tools.errors import InstallError
from tools.programs import Program

_TIMEOUT_SECONDS = 30
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform() -> str:
    """The platform as Go names it, e.g. `linux/amd64`."""
    machine = platform.machine()
    return f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}"


def download(program: Program, output: Path, say: Callable[[str], None]) -> bool:
    """Fetch the release for this platform into `output`.

    Returns:
        False when none is listed or it cannot be reached: the caller then builds from source.

    Raises:
        InstallError: The file was served but is not the pinned one.
    """
    release = dict(program.releases).get(this_platform())
    if release is None:
        return False
    url = release.url.format(version=program.version)
    archive = output.with_name(f"{output.name}.download")
    say(f"downloading {program.name} {program.version} from {url}")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer, archive.open("wb") as file:  # noqa: S310 the address stands in programs.py
            shutil.copyfileobj(answer, file)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        say(f"  not reachable ({error}); building from source instead")
        return False
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != release.sha256:
        raise InstallError(
            f"the download of {program.name} has SHA-256 {digest}, pinned is {release.sha256}",
            where=url,
            fix="do not use it; compare with the project's published checksums, then mend tools/programs.py",
        )
    if release.member:
        _extract(archive, release.member, output)
    else:
        archive.replace(output)
    return True


def _extract(archive: Path, member: str, output: Path) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        source: IO[bytes] | None = tar.extractfile(member)
        if source is None:
            raise InstallError(
                f"{member} is no file in the release", where=str(archive), fix="mend tools/programs.py"
            )
        with output.open("wb") as file:
            shutil.copyfileobj(source, file)
