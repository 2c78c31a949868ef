"""`python -m local`: the commands behind `make up`, `make job` and the others."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from catalog.problems import InputError
from components.region import OPERATIONS_NAMESPACE
from local import evidence, kubelet
from local import status as platform_status
from local.crds import write_crds
from local.emulator.lifecycle import start_emulator
from local.engine import Plugins
from local.errors import PlatformError
from local.platform import ROOT, EmbeddedPlatform
from local.recording import record_platform, stack_inputs
from local.render import render as write_rendering
from local.workspace import Workspace
from tools.errors import ActionableError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

STACK = "local"
_INTERRUPTED = 130

_Parameters = ParamSpec("_Parameters")


def _command(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Registers a command that tells errors of its user in one message, without a traceback."""

    @functools.wraps(function)
    def guarded(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (ActionableError, InputError) as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            print("interrupted: nothing is lost, the same command goes on from here", file=sys.stderr)
            raise typer.Exit(_INTERRUPTED) from None

    app.command()(guarded)
    return guarded


def _platform(plugins: Plugins = "stand-in") -> EmbeddedPlatform:
    settings, _ = stack_inputs(STACK)
    return EmbeddedPlatform(
        workspace=Workspace(ROOT / ".day2"),
        issuers={name: its.cluster.oidc_issuer or "" for name, its in settings.regions.items()},
        stack=STACK,
        plugins=plugins,
    )


@contextlib.contextmanager
def _exclusively(platform: EmbeddedPlatform, activity: str) -> Iterator[None]:
    with platform.workspace.lock(activity):
        yield


@_command
def up(plugins: Annotated[str, typer.Option(help="stand-in or official")] = "stand-in") -> None:
    """Brings everything up: tools, control planes, emulator, and the stack on them."""
    if plugins not in ("stand-in", "official"):
        raise PlatformError(f"no such plugins: {plugins}", fix="choose PLUGINS=stand-in or PLUGINS=official")
    platform = _platform("official" if plugins == "official" else "stand-in")
    with _exclusively(platform, "make up"):
        engine = platform.start()
        engine.up()
        print(platform_status.what_next(engine))


@_command
def preview() -> None:
    """Shows what an update would change."""
    platform = _platform()
    with _exclusively(platform, "make preview"):
        platform.start().preview("--diff")


@_command
def status() -> None:
    """Shows what runs, where its logs are, and how the last jobs ended."""
    platform = _platform()
    platform_status.show(platform)


@_command
def job(
    name: Annotated[str, typer.Argument(help="Name of a job of catalog/jobs.yaml.")],
    region: Annotated[str, typer.Argument(help="Region that it runs in.")],
) -> None:
    """Runs a deployed job now."""
    platform = _platform()
    if region not in platform.issuers:
        raise PlatformError(
            f"there is no region {region}: known are {', '.join(platform.issuers)}",
            where=f"Pulumi.{STACK}.yaml",
            fix="choose one with REGION=…",
        )
    run = kubelet.run_cron_job(
        platform.workspace,
        region,
        name,
        namespace=OPERATIONS_NAMESPACE,
        node_environment={"AWS_ENDPOINT_URL": start_emulator(platform.workspace).endpoint},
        program=ROOT,
    )
    print(f"{run.job}: exit code {run.exit_code} after {run.seconds:.1f} s, log {run.log}")
    if run.exit_code:
        raise typer.Exit(1)


@_command
def verify() -> None:
    """Verifies the newest evidence of each region, offline, from what it downloads first."""
    platform = _platform()
    settings, catalogue = stack_inputs(STACK)
    emulator = start_emulator(platform.workspace)
    if not evidence.verify_regions(platform.engine(emulator), emulator, settings, catalogue):
        raise typer.Exit(1)


@_command
def render(
    stack: Annotated[str, typer.Argument(help="Name of the stack.")],
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
) -> None:
    """Writes every object and input of a stack as files, without engine, cluster or network."""
    settings, catalogue = stack_inputs(stack)
    if settings.operators.crds_folder is not None:
        write_crds(ROOT / settings.operators.crds_folder)
    files = write_rendering(record_platform(settings, catalogue, stack=stack), out)
    print(f"{len(files)} files in {out}")


@_command
def down() -> None:
    """Destroys the stack and ends every process."""
    platform = _platform()
    with _exclusively(platform, "make down"):
        platform.start().destroy()
        print(f"ended: {', '.join(platform.stop()) or 'nothing'}")


@_command
def clean() -> None:
    """Ends every process and deletes all local state, evidence included."""
    platform = _platform()
    with _exclusively(platform, "make clean"):
        platform.erase()
    print(f"deleted {platform.workspace.root}")


if __name__ == "__main__":
    # A shell starts background commands with Ctrl-C ignored; the engine must get it, and so must we.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
