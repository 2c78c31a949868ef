"""Start, stop and inspect the control planes of a workspace, one per region, each on its own."""

from __future__ import annotations

import ssl
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
    with ThreadPoolExecutor(max_workers=max(1, len(regions))) as pool:
        running = {
            region: pool.submit(
                _start_region,
                workspace,
                region,
                programs,
                (issuers or {}).get(region, default_issuer(region)),
            )
            for region in regions
        }
        for region, future in running.items():
            try:
                report.ready[region] = future.result()
            except ActionableError as error:
                report.failed[region] = error
            except OSError as error:
                report.failed[region] = PlatformError(
                    f"{error.strerror or error}",
                    where=str(error.filename or workspace.root),
                    fix="free some space or mend the permissions, then run again",
                )
    return report


def _start_region(workspace: Workspace, region: str, programs: dict[str, Path], issuer: str) -> ControlPlane:
    began = time.monotonic()
    folder = workspace.cluster(region)
    folder.mkdir(parents=True, exist_ok=True)
    pki = ensure_pki(folder / "pki")
    started: list[str] = []

    def run(component: str, build_command: Callable[[int], list[str]]) -> tuple[int, processes.Record]:
        """Keep the component if it runs with the very command it should have, else (re)start it."""
        name = f"{region}/{component}"
        known_port = ports.recorded(workspace).get(name)
        record = processes.find(workspace, name)
        if record and known_port and list(record.command) == build_command(known_port):
            return known_port, record
        processes.stop(workspace, name)
        port = ports.claim(workspace, name, movable=True)
        started.append(component)
        return port, processes.start(workspace, name, build_command(port))

    etcd_port, _ = run(
        "etcd", lambda port: commands.etcd(programs["etcd"], pki, data=folder / "etcd", port=port)
    )
    port, record = run(
        "kube-apiserver",
        lambda port: commands.api_server(
            programs["kube-apiserver"], pki, port=port, etcd_port=etcd_port, issuer=issuer
        ),
    )
    server = f"https://{ports.LOOPBACK}:{port}"
    write_kubeconfig(
        workspace.kubeconfig(region), kubeconfig(pki, user="admin", server=server, context=region)
    )
    manager_kubeconfig = folder / "controller-manager.kubeconfig"
    write_kubeconfig(
        manager_kubeconfig, kubeconfig(pki, user="controller-manager", server=server, context=region)
    )
    with _client(pki) as client:
        _wait(workspace, f"{region}/kube-apiserver", record, client, f"{server}/readyz")
        manager_port, record = run(
            "kube-controller-manager",
            lambda port: commands.controller_manager(
                programs["kube-controller-manager"], pki, port=port, kubeconfig=manager_kubeconfig
            ),
        )
        _wait(
            workspace,
            f"{region}/kube-controller-manager",
            record,
            client,
            f"https://{ports.LOOPBACK}:{manager_port}/healthz",
        )
    return ControlPlane(
        region=region,
        server=server,
        kubeconfig=workspace.kubeconfig(region),
        issuer=issuer,
        started=tuple(started),
        seconds=time.monotonic() - began,
    )


def _wait(workspace: Workspace, name: str, record: processes.Record, client: httpx.Client, url: str) -> None:
    processes.wait_ready(workspace, name, record, lambda: _is_ok(client, url), _READY_SECONDS)


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
