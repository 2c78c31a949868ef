"""Runs the Pulumi engine on a stack of the embedded platform: state, secrets and plugins in the workspace."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from local.errors import PlatformError
from local.plugins.shims import install_plugins
from local.workspace import Workspace
from tools.install import ensure, language_python_exec

Plugins = Literal["stand-in", "official"]

DEFAULT_PASSPHRASE = "day2-local"  # noqa: S105 it is written in Pulumi.local.yaml and protects nothing
_TAIL_LINES = 15

# Messages of the engine that a user can do something about, and what.
_KNOWN_FAILURES = (
    (
        "incorrect passphrase",
        "unset PULUMI_CONFIG_PASSPHRASE, or set it to the one that this stack was made with",
    ),
    ("no space left on device", "free some space; the state is kept, run it again"),
    (
        "connection refused",
        "something of the platform has stopped: `make up` starts it again and goes on from here",
    ),
    (
        "Could not connect to the endpoint",
        "the emulator has stopped: `make up` starts it again and goes on from here",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One stack of the program on one workspace.

    Attributes:
        workspace: Where state, plugins and logs are.
        program: Folder of the Pulumi program and its stack files.
        stack: Name of the stack.
        environment: What leads the program's AWS calls to the emulator.
        policy_packs: Folders of the policy packs that every preview and update runs.
        plugins: `stand-in` for the plugins of this project, `official` to let the engine download its own.
        quiet: Whether the engine's output goes to the log only.
    """

    workspace: Workspace
    program: Path
    stack: str
    environment: Mapping[str, str] = field(repr=False)
    policy_packs: Sequence[Path] = ()
    plugins: Plugins = "stand-in"
    quiet: bool = False

    @property
    def log(self) -> Path:
        """What the engine printed, newest last."""
        return self.workspace.logs / "pulumi.log"

    @property
    def _home(self) -> Path:
        return self.workspace.root / f"pulumi-home-{self.plugins}"

    def select(self) -> None:
        """Makes the stack where it does not exist, and frees it where a killed engine left it locked.

        The caller holds the workspace's lock, so whoever holds the stack's is gone.

        Raises:
            PlatformError: The engine refuses, for one because the passphrase is wrong.
        """
        self._restore_checkpoint()
        existing = json.loads(self._run("stack", "ls", "--json"))
        if self.stack not in [found["name"].split("/")[-1] for found in existing]:
            self._run("stack", "init", self.stack, "--no-select")
        if any((self.workspace.pulumi / ".pulumi" / "locks").rglob("*.json")):
            self._run("cancel", "--yes", "--stack", self.stack)
        if self._has_pending_operations():
            self._run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", *self._on_stack())

    def up(self, *, refresh: bool = True) -> str:
        """Brings the stack to what the program says.

        Args:
            refresh: Whether to look first at what is really there; it heals what was lost with the emulator.

        Returns:
            What the engine printed.

        Raises:
            PlatformError: The update failed; what was made is in the state, the next run goes on from there.
        """
        # A region that fails must not keep the others from getting what is theirs.
        options = ["--continue-on-error", *(["--refresh"] if refresh else [])]
        return self._run(
            "up", "--yes", "--skip-preview", *options, *self._on_stack(), *self._packs(), show=True
        )

    def preview(self, *options: str) -> str:
        """Shows what an update would do.

        Args:
            options: Further options of `pulumi preview`.

        Raises:
            PlatformError: The program, a policy or a server refuses.
        """
        return self._run("preview", *options, *self._on_stack(), *self._packs(), show=True)

    def drift(self) -> str:
        """Shows what was changed behind the engine's back, without changing the state.

        Raises:
            PlatformError: Something can't be read.
        """
        return self._run("refresh", "--preview-only", *self._on_stack(), show=True)

    def destroy(self) -> str:
        """Deletes everything that the stack made.

        Raises:
            PlatformError: Something could not be deleted; it stays in the state.
        """
        return self._run("destroy", "--yes", "--skip-preview", "--refresh", *self._on_stack(), show=True)

    def outputs(self) -> dict[str, Any]:
        """Outputs of the stack; empty before the first update."""
        found: dict[str, Any] = json.loads(self._run("stack", "output", "--json", "--stack", self.stack))
        return found

    def resources(self) -> list[dict[str, Any]]:
        """Resources in the stack's state, as the engine exports them."""
        deployment = self._export().get("deployment") or {}
        found: list[dict[str, Any]] = deployment.get("resources") or []
        return found

    def _restore_checkpoint(self) -> None:
        """Puts the state before the last step back where a killed engine was just writing the new one."""
        for checkpoint in (self.workspace.pulumi / ".pulumi" / "stacks").rglob(f"{self.stack}.json"):
            backup = checkpoint.with_suffix(".json.bak")
            if _is_json(checkpoint):
                continue
            if not _is_json(backup):
                raise PlatformError(
                    f"the state of stack {self.stack} is damaged, and so is its backup",
                    where=str(checkpoint),
                    fix="put a copy of your own in its place, or start anew with `make clean`",
                )
            shutil.copyfile(backup, checkpoint)

    def _has_pending_operations(self) -> bool:
        return bool((self._export().get("deployment") or {}).get("pending_operations"))

    def _export(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._run("stack", "export", "--stack", self.stack))
        return found

    def _on_stack(self) -> list[str]:
        # One line a resource, as CI prints it: a terminal's live display can't be logged.
        return ["--stack", self.stack, "--suppress-permalink=true", "--color=never", "--non-interactive"]

    def _packs(self) -> list[str]:
        return [option for pack in self.policy_packs for option in ("--policy-pack", str(pack))]

    def _run(self, *arguments: str, show: bool = False) -> str:
        command = [str(ensure("pulumi")), *arguments]
        if self.plugins == "stand-in":
            install_plugins(self._home)
        _without_automatic_log(self._home)
        lines: list[str] = []
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ pulumi {' '.join(arguments)}\n")
            process = subprocess.Popen(
                command,
                cwd=self.program,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if show else log,
                text=True,
                errors="replace",
            )
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    log.write(line)
                    log.flush()
                    if show and not self.quiet:
                        sys.stdout.write(line)
                        sys.stdout.flush()
                process.wait()
            except KeyboardInterrupt:
                _let_it_finish(process)
                raise
        if process.returncode != 0:
            raise self._failure(
                arguments[0], "".join(lines) if show else self._last_lines(), shown=show and not self.quiet
            )
        return "".join(lines)

    def _variables(self) -> dict[str, str]:
        # The user's own AWS identity must never reach a stack that is meant for the emulator.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        variables = {
            **inherited,
            **self.environment,
            "PULUMI_HOME": str(self._home),
            "PULUMI_BACKEND_URL": f"file://{self.workspace.pulumi}",
            "PULUMI_CONFIG_PASSPHRASE": os.environ.get("PULUMI_CONFIG_PASSPHRASE", DEFAULT_PASSPHRASE),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The program's folder, not the engine's, is where `catalog` and `components` are.
            "PYTHONPATH": str(self.program),
        }
        if self.plugins == "stand-in":
            variables |= {
                "DAY2_LANGUAGE_PYTHON_EXEC": str(language_python_exec()),
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            }
        return variables

    def _last_lines(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(
                self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
            )
        return ""

    def _failure(self, command: str, output: str, *, shown: bool) -> PlatformError:
        fix = next((fix for message, fix in _KNOWN_FAILURES if message in output), None)
        errors = _errors_in(output)
        what = f"`pulumi {command}` failed on stack {self.stack}"
        if errors and not shown:
            what += "\n" + "\n".join(dict.fromkeys(errors[:_TAIL_LINES]))
        return PlatformError(
            what,
            where=str(self.log),
            fix=fix or "mend what the message names; nothing is lost, then run it again",
        )


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _errors_in(output: str) -> list[str]:
    """Lines of the engine's error messages; one that has several lines ends with an empty one."""
    lines: list[str] = []
    inside = False
    for line in output.splitlines():
        inside = line.strip().startswith("error:") or (inside and bool(line.strip()))
        if inside:
            lines.append(line.strip())
    return lines


def _without_automatic_log(home: Path) -> None:
    """Keeps the engine from logging every property of every call, which takes it as long as its work.

    It has no setting for that, but does without where its log folder can't be made: a file is in the way.
    What it prints is in our log all the same, and `-v=9 --logtostderr` still works.
    """
    home.mkdir(exist_ok=True)
    if not (home / "logs").exists():
        (home / "logs").touch()


def _let_it_finish(process: subprocess.Popen[str]) -> None:
    """After Ctrl-C the engine, which got it too, ends what is under way and saves its state."""
    with contextlib.suppress(KeyboardInterrupt):
        process.wait()
        return
    process.send_signal(signal.SIGKILL)
    process.wait()
