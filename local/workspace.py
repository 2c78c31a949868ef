"""The workspace: the one ignored folder (`.day2/`) that holds all state of an embedded platform."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.errors import PlatformError


@dataclass(frozen=True)
class Workspace:
    """Where things are below `root`; nothing here touches the disk except `create` and `lock`."""

    root: Path

    def __post_init__(self) -> None:
        """Make the root absolute: daemons outlive the folder they were started from."""
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """One record (pid, start time, command) per process."""
        return self.root / "run"

    @property
    def emulator(self) -> Path:
        """The AWS emulator's snapshot."""
        return self.root / "emulator"

    @property
    def pulumi(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "pulumi"

    @property
    def crds(self) -> Path:
        """Custom resource definitions as JSON, one folder per operator."""
        return self.root / "crds"

    @property
    def evidence(self) -> Path:
        """What verification downloads."""
        return self.root / "evidence"

    @property
    def ports_file(self) -> Path:
        """The recorded ports."""
        return self.root / "ports.json"

    def cluster(self, region: str) -> Path:
        """A region's control plane: pki/, etcd/, kubeconfig."""
        return self.root / "clusters" / region

    def kubeconfig(self, region: str) -> Path:
        """The administrator's kubeconfig of a region."""
        return self.cluster(region) / "kubeconfig"

    def create(self) -> None:
        """Make the folders; existing ones stay.

        Raises:
            PlatformError: The folder cannot be written.
        """
        try:
            # Keys and credentials live below: for this user only.
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (
                self.logs,
                self.run,
                self.emulator,
                self.pulumi,
                self.crds,
                self.evidence,
            ):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise PlatformError(
                f"the workspace cannot be written: {error.strerror}",
                where=str(self.root),
                fix="free some space or mend the folder's permissions",
            ) from error

    @contextlib.contextmanager
    def lock(self, activity: str) -> Iterator[None]:
        """Exclude every other command that changes this workspace.

        The kernel drops the lock with the process, so a killed command leaves nothing to clean up.

        Args:
            activity: What the holder does, shown to whoever is refused, e.g. `make up`.

        Raises:
            PlatformError: Another process holds it; names its pid and activity.
        """
        self.create()
        path = self.root / "lock"
        with path.open("a+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                holder = stream.read().strip() or "another process"
                raise PlatformError(
                    f"this workspace is in use by {holder}",
                    where=str(path),
                    fix="wait until it ends, or end it with Ctrl-C, then run again",
                ) from None
            stream.seek(0)
            stream.truncate()
            stream.write(f"`{activity}` (pid {os.getpid()})")
            stream.flush()
            yield
