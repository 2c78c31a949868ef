"""A platform for the plugins: the real engine, an API server and an AWS emulator, shared by the session."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from local.control_plane.lifecycle import start_control_planes, stop_control_planes
from local.plugins.shims import install_plugins
from local.workspace import Workspace
from tests.plugins.harness import REGION, Platform, Stack
from tools.install import ensure


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def pulumi_binary() -> str:
    """The engine: on PATH (DAY2_TOOLS_BIN goes before it), else installed."""
    if folder := os.environ.get("DAY2_TOOLS_BIN"):
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return str(ensure("pulumi"))


@pytest.fixture(scope="session")
def kubeconfig(
    tmp_path_factory: pytest.TempPathFactory,
    pulumi_binary: str,
) -> Iterator[Path]:
    """A control plane of one region."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    try:
        report = start_control_planes(workspace, [REGION])
        report.raise_for_failures()
        yield report.kubeconfigs[REGION]
    finally:
        stop_control_planes(workspace, [REGION])


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An AWS emulator in a process of its own."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("aws") / "moto.log").open("wb") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(f"{endpoint}/moto-api/data.json"))
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 our own address
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not ready after {seconds} s")
        time.sleep(0.1)


def language_exec() -> str:
    if path := os.environ.get("DAY2_LANGUAGE_PYTHON_EXEC"):
        return path
    module = "pkg/mod/github.com/pulumi/pulumi/sdk/v3@v3.259.0/python/cmd/pulumi-language-python-exec"
    return str(Path(os.environ.get("GOPATH", Path.home() / "go")) / module)


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, pulumi_binary: str, kubeconfig: Path, aws_endpoint: str
) -> Platform:
    home = tmp_path_factory.mktemp("pulumi")
    install_plugins(home)
    environment = {
        "PATH": os.environ["PATH"],
        "PULUMI_HOME": str(home),
        "HOME": os.environ["HOME"],
        "DAY2_LANGUAGE_PYTHON_EXEC": language_exec(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "KUBECONFIG": str(kubeconfig),
        "AWS_REGION": "us-east-1",
    }
    return Platform(kubeconfig, aws_endpoint, pulumi_binary, environment)


@pytest.fixture(scope="session")
def empty_stack(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project, a backend and an empty stack, to copy."""
    folder = tmp_path_factory.mktemp("stack")
    for name in ("project", "state"):
        (folder / name).mkdir()
    (folder / "project" / "Pulumi.yaml").write_text("name: plugins\nruntime: python\n")
    stack_in(folder, platform).pulumi("stack", "init", "test")
    return folder


@pytest.fixture
def stack(platform: Platform, empty_stack: Path, tmp_path: Path) -> Stack:
    """An empty stack with a backend of its own."""
    shutil.copytree(empty_stack, tmp_path, dirs_exist_ok=True)
    return stack_in(tmp_path, platform)


def stack_in(folder: Path, platform: Platform) -> Stack:
    environment = {
        **platform.environment,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_STACK": "test",
    }
    return Stack(platform, folder / "project", environment)
