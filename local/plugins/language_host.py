"""Pulumi's language host for Python: starts the program, and policy packs, for the engine.

It stands in for ``pulumi-language-python``, which the Pulumi installer brings and no package registry serves.
The program itself is started by the official ``pulumi-language-python-exec`` script of the Go module
``github.com/pulumi/pulumi/sdk/v3``, whose path the variable `EXEC_VARIABLE` holds, in this very interpreter.
"""

import importlib.metadata
import json
import os
import platform
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import grpc  # type: ignore[import-untyped]  # published without types
from google.protobuf import empty_pb2

from local.plugins.children import Children
from local.plugins.serving import serve
from local.plugins.stubs import language_pb2, language_pb2_grpc, plugin_pb2

EXEC_VARIABLE = "DAY2_LANGUAGE_PYTHON_EXEC"
# "An error was already shown to the user": the exit code of pulumi-language-python-exec for it.
BAIL_EXIT_CODE = 32
CHUNK_BYTES = 64 * 1024


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):  # type: ignore[misc]  # stubs are untyped
    """The LanguageRuntime service. What it does not define answers UNIMPLEMENTED; the engine copes."""

    def __init__(self, engine_address: str, children: Children) -> None:
        self._engine_address = engine_address
        self._children = children

    def Handshake(self, request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        """Remember the engine's address."""
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The version of the SDK in this interpreter."""
        return plugin_pb2.PluginInfo(version=_sdk_version())

    def About(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """For ``pulumi about``."""
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetRequiredPackages(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """None in advance: the engine asks for a provider when a resource needs it, and finds it on PATH."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The older form of the same question."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The packages of this interpreter."""
        found = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=n, version=v) for n, v in sorted(found.items())]
        )

    def InstallDependencies(self, _request: Any, _context: Any) -> Iterator[Any]:  # noqa: N802
        """Nothing to install: the program runs in this interpreter's environment, which `make` prepares."""
        yield from ()

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The signal that follows ends this process and its children."""
        return empty_pb2.Empty()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Run the program to its end."""
        script = os.environ.get(EXEC_VARIABLE, "")
        if not Path(script).is_file():
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"{EXEC_VARIABLE} must name the file pulumi-language-python-exec of the Go module "
                f"github.com/pulumi/pulumi/sdk/v3 (in its folder python/cmd), but is {script!r}",
            )
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [sys.executable, "-u", script, *_run_arguments(request, self._engine_address)]
        process = self._children.start(command, cwd=request.info.program_directory or None, env=environment)
        context.add_callback(lambda: self._children.end(process))
        code = process.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code == BAIL_EXIT_CODE:
            return language_pb2.RunResponse(bail=True)
        how = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
        return language_pb2.RunResponse(error=f"the program {how}; its output is above")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack; stream what it prints and, at last, its exit code."""
        if request.kind != "analyzer":
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the language host of the embedded platform runs policy packs, no {request.kind} plugins",
            )
        command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, request.info.program_directory]
        environment = dict(item.partition("=")[::2] for item in request.env)
        process = self._children.start(command, cwd=request.pwd, env=environment, capture=True)
        context.add_callback(lambda: self._children.end(process))
        for stream, chunk in _output(process):
            yield language_pb2.RunPluginResponse(**{stream: chunk})
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _run_arguments(request: Any, engine_address: str) -> list[str]:
    options = {
        "monitor": request.monitor_address,
        "engine": engine_address,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    named = [part for name, value in options.items() if value for part in (f"--{name}", value)]
    return [*named, request.info.entry_point or request.program or ".", *request.args]


def _output(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield what the process prints, as it comes, until it has closed both streams."""
    chunks: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def pump(name: str, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), CHUNK_BYTES):
            chunks.put((name, chunk))
        chunks.put((name, b""))

    streams = {"stdout": process.stdout, "stderr": process.stderr}
    open_streams = 0
    for name, stream in streams.items():
        if stream is not None:
            open_streams += 1
            threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    while open_streams:
        name, chunk = chunks.get()
        if chunk:
            yield name, chunk
        else:
            open_streams -= 1


def _sdk_version() -> str:
    return importlib.metadata.version("pulumi")


def main() -> None:
    """Serve the engine whose address is the last argument."""
    children = Children()
    host = LanguageHost(sys.argv[-1] if len(sys.argv) > 1 else "", children)
    serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        before_exit=children.end_all,
    )
