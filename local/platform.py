"""The embedded platform as a whole: what is started in which order, for which stack."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import processes
from local.control_plane.lifecycle import ControlPlane, start_control_planes
from local.crds import write_crds
from local.emulator.lifecycle import Emulator, start_emulator
from local.engine import Engine, Plugins
from local.errors import PlatformError
from local.workspace import Workspace

ROOT = Path(__file__).parent.parent
POLICY_PACKS = tuple(sorted(path.parent for path in (ROOT / "policies").glob("*/PulumiPolicy.yaml")))


@dataclass(frozen=True, kw_only=True)
class EmbeddedPlatform:
    """A stack and the servers that it runs against.

    Attributes:
        workspace: Where all state is.
        issuers: Issuer of service-account tokens by region; its keys are the regions.
        stack: Name of the stack.
        program: Folder of the Pulumi program and its stack files.
        plugins: Which plugins the engine runs.
        quiet: Whether the engine's output goes to its log only.
        say: Where progress goes.
    """

    workspace: Workspace
    issuers: Mapping[str, str]
    stack: str = "local"
    program: Path = ROOT
    plugins: Plugins = "stand-in"
    quiet: bool = False
    say: Callable[[str], None] = field(default=print, repr=False)

    def start(self) -> Engine:
        """Starts what does not run yet: resource definitions, control planes, emulator.

        Returns:
            The engine, pointed at them, with its stack made.

        Raises:
            PlatformError: A region or the emulator did not start; the regions that did stay up.
        """
        write_crds(self.workspace.crds)
        report = start_control_planes(self.workspace, list(self.issuers), dict(self.issuers))
        for plane in report.ready.values():
            self.say(_told(plane))
        emulator = start_emulator(self.workspace)
        self.say(f"AWS emulator: {emulator.endpoint} ({_since(emulator.started, emulator.seconds)})")
        report.raise_for_failures()
        engine = self.engine(emulator)
        engine.select()
        return engine

    def engine(self, emulator: Emulator) -> Engine:
        """The engine on this platform's stack.

        Args:
            emulator: What answers in the place of AWS.
        """
        return Engine(
            workspace=self.workspace,
            program=self.program,
            stack=self.stack,
            environment=emulator.environment,
            policy_packs=POLICY_PACKS,
            plugins=self.plugins,
            quiet=self.quiet,
        )

    def stop(self) -> list[str]:
        """Ends every process of the workspace; state stays.

        Returns:
            Names of the processes that ran.
        """
        return processes.stop_all(self.workspace)

    def erase(self) -> None:
        """Ends every process and deletes the workspace.

        Raises:
            PlatformError: The workspace can't be deleted.
        """
        self.stop()
        try:
            if self.workspace.root.exists():
                shutil.rmtree(self.workspace.root)
        except OSError as error:
            raise PlatformError(
                f"the workspace can't be deleted: {error.strerror}",
                where=str(error.filename or self.workspace.root),
                fix="mend its permissions and run it again",
            ) from None


def _told(plane: ControlPlane) -> str:
    return f"{plane.region}: API server {plane.server} ({_since(bool(plane.started), plane.seconds)})"


def _since(started: bool, seconds: float) -> str:  # noqa: FBT001 a word for each of two states
    return f"ready after {seconds:.1f} s" if started else "runs already"
