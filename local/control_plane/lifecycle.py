"""Start, stop and inspect the control planes of a workspace, one per region, each on its own."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local import ports, processes
from local.control_plane import commands
from local.control_plane.kubeconfig import kubeconfig, write_kubeconfig
from local.control_plane.pki import Pki, ensure_pki
from local.errors import PlatformError
from local.workspace import Workspace
from tools.errors import ActionableError
from tools.install import ensure

# In the order of starting. Ended in the reverse order.
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager")

# Ready in about 5 s on an idle machine with 2 cores; builds beside it may slow that down a lot.
_READY_SECONDS = 90.0
_ANSWER_SECONDS = 5.0


def default_issuer(region: str) -> str:
    """Issuer of the service-account tokens where the caller names none."""
    return f"https://oidc.{region}.day2.internal"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A control plane that is ready.

    Attributes:
        region: Its region.
        server: URL of the API server.
        kubeconfig: The administrator's kubeconfig file.
        issuer: Issuer of the service-account tokens.
        started: The components that this call started; empty when all were running.
        seconds: How long the call took for this region.
    """

    region: str
    server: str
    kubeconfig: Path
    issuer: str
    started: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class StartReport:
    """What became of each region: one that failed does not stop the others."""

    ready: dict[str, ControlPlane] = field(default_factory=dict)
    failed: dict[str, ActionableError] = field(default_factory=dict)

    @property
    def kubeconfigs(self) -> dict[str, Path]:
        """Kubeconfig file by region, of those that are ready."""
        return {region: plane.kubeconfig for region, plane in self.ready.items()}

    def raise_for_failures(self) -> None:
        """Raise one PlatformError with every region's failure, if there is any."""
        if not self.failed:
            return
        parts = [f"{region}: {error.what}" for region, error in self.failed.items()]
        raise PlatformError(
            "no control plane in " + "\nno control plane in ".join(parts),
            where=", ".join(error.where for error in self.failed.values() if error.where),
            fix="; ".join(dict.fromkeys(error.fix for error in self.failed.values() if error.fix)),
        )


@dataclass(frozen=True, kw_only=True)
class ComponentStatus:
    """One process of a control plane: pid and port are 0 when it does not run."""

    name: str
    pid: int
    port: int
    log: Path


@dataclass(frozen=True, kw_only=True)
class ControlPlaneStatus:
    """What `status` found: `version` is the API server's, empty when it does not answer."""

    region: str
    ready: bool
    version: str
    server: str
    components: tuple[ComponentStatus, ...]


def start_control_planes(
    workspace: Workspace, regions: Sequence[str], issuers: dict[str, str] | None = None
) -> StartReport:
    """Bring up the control planes of all regions at once; what runs stays as it is.

    A component whose command line has changed (another version, port or issuer) is restarted.

    Args:
        workspace: Where they live.
        regions: AWS region names.
        issuers: Issuer URL of the service-account tokens by region; default `default_issuer`.

    Raises:
        InstallError: A program could not be provided.
        PlatformError: The workspace cannot be written.
    """
    workspace.create()
    programs = {name: ensure(name) for name in COMPONENTS}
    report = StartReport()
    interrupted = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, len(regions))) as pool:
        starts = {
            region: pool.submit(
                _RegionStart(
                    workspace=workspace,
                    region=region,
                    programs=programs,
                    issuer=(issuers or {}).get(region, default_issuer(region)),
                    interrupted=interrupted,
                ).run
            )
            for region in regions
        }
        try:
            for region, start in starts.items():
                try:
                    report.ready[region] = start.result()
                except ActionableError as error:
                    report.failed[region] = error
                except OSError as error:
                    report.failed[region] = PlatformError(
                        f"{error.strerror or error}",
                        where=str(error.filename or workspace.root),
                        fix="free some space or mend the permissions, then run again",
                    )
        finally:
            # Ctrl-C reaches this thread only; the others would wait on until their time limit.
            interrupted.set()
    return report


@dataclass(kw_only=True)
class _RegionStart:
    """The start of one region's control plane, step by step."""

    workspace: Workspace
    region: str
    programs: dict[str, Path]
    issuer: str
    interrupted: threading.Event
    started: list[str] = field(default_factory=list)

    def run(self) -> ControlPlane:
        began = time.monotonic()
        folder = self.workspace.cluster(self.region)
        folder.mkdir(parents=True, exist_ok=True)
        pki = ensure_pki(folder / "pki")
        programs = self.programs

        etcd_port = self._component(
            "etcd", lambda port: commands.etcd(programs["etcd"], pki, data=folder / "etcd", port=port)
        )
        port = self._component(
            "kube-apiserver",
            lambda port: commands.api_server(
                programs["kube-apiserver"], pki, port=port, etcd_port=etcd_port, issuer=self.issuer
            ),
        )
        server = f"https://{ports.LOOPBACK}:{port}"
        kubeconfigs = {
            "admin": self.workspace.kubeconfig(self.region),
            "controller-manager": folder / "controller-manager.kubeconfig",
        }
        for user, path in kubeconfigs.items():
            write_kubeconfig(path, kubeconfig(pki, user=user, server=server, context=self.region))
        with _client(pki) as client:
            self._wait("kube-apiserver", client, f"{server}/readyz")
            manager_port = self._component(
                "kube-controller-manager",
                lambda port: commands.controller_manager(
                    programs["kube-controller-manager"],
                    pki,
                    port=port,
                    kubeconfig=kubeconfigs["controller-manager"],
                ),
            )
            self._wait("kube-controller-manager", client, f"https://{ports.LOOPBACK}:{manager_port}/healthz")
        return ControlPlane(
            region=self.region,
            server=server,
            kubeconfig=kubeconfigs["admin"],
            issuer=self.issuer,
            started=tuple(self.started),
            seconds=time.monotonic() - began,
        )

    def _component(self, component: str, build_command: Callable[[int], list[str]]) -> int:
        """Keep the component if it runs with the very command it should have, else (re)start it.

        Returns:
            Its port.
        """
        name = f"{self.region}/{component}"
        port = ports.recorded(self.workspace).get(name)
        record = processes.find(self.workspace, name)
        if record and port and list(record.command) == build_command(port):
            return port
        processes.stop(self.workspace, name)
        port = ports.claim(self.workspace, name, movable=True)
        processes.start(self.workspace, name, build_command(port))
        self.started.append(component)
        return port

    def _wait(self, component: str, client: httpx.Client, url: str) -> None:
        def is_ready() -> bool:
            if self.interrupted.is_set():
                raise PlatformError(f"the start of {self.region} was interrupted", fix="run it again")
            return _is_ok(client, url)

        before = COMPONENTS[: COMPONENTS.index(component)]
        processes.wait_ready(
            self.workspace,
            f"{self.region}/{component}",
            is_ready,
            _READY_SECONDS,
            needs=[f"{self.region}/{name}" for name in before],
        )


def _is_ok(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _client(pki: Pki) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(pki.certificate("ca")))
    context.load_cert_chain(pki.certificate("admin"), pki.key("admin"))
    # Never through a proxy that the environment names: all of this is on loopback.
    return httpx.Client(verify=context, timeout=_ANSWER_SECONDS, trust_env=False)


def stop_control_planes(workspace: Workspace, regions: Sequence[str]) -> list[str]:
    """End the processes of these regions, all regions at once; their data stays.

    Returns:
        The names of the processes that were ended.
    """

    def stop_region(region: str) -> list[str]:
        names = [f"{region}/{component}" for component in reversed(COMPONENTS)]
        return [name for name in names if processes.stop(workspace, name)]

    with ThreadPoolExecutor(max_workers=max(1, len(regions))) as pool:
        return [name for names in pool.map(stop_region, regions) for name in names]


def control_plane_status(workspace: Workspace, region: str) -> ControlPlaneStatus:
    """Look at one region without changing anything."""
    recorded = ports.recorded(workspace)
    components = []
    for component in COMPONENTS:
        name = f"{region}/{component}"
        record = processes.find(workspace, name)
        components.append(
            ComponentStatus(
                name=component,
                pid=record.pid if record else 0,
                port=recorded.get(name, 0) if record else 0,
                log=processes.log_path(workspace, name),
            )
        )
    etcd, api, manager = components
    server = f"https://{ports.LOOPBACK}:{api.port}" if api.port else ""
    ready, version = False, ""
    if etcd.pid and api.pid:
        with _client(Pki(workspace.cluster(region) / "pki")) as client:
            ready = _is_ok(client, f"{server}/readyz")
            if ready:
                version = str(client.get(f"{server}/version").json().get("gitVersion", ""))
            if manager.port:
                ready = ready and _is_ok(client, f"https://{ports.LOOPBACK}:{manager.port}/healthz")
    return ControlPlaneStatus(
        region=region,
        ready=ready and bool(manager.pid),
        version=version,
        server=server,
        components=tuple(components),
    )
