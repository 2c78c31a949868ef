"""The command lines of etcd, kube-apiserver and kube-controller-manager."""

from __future__ import annotations

from pathlib import Path

from local.control_plane.pki import SERVICE_RANGE, Pki
from local.ports import LOOPBACK


def etcd(program: Path, pki: Pki, *, data: Path, port: int) -> list[str]:
    """One member that only its API server can talk to; it syncs to disk: a killed machine loses nothing."""
    url = f"https://{LOOPBACK}:{port}"
    return _command(
        program,
        {
            "name": "default",
            "data-dir": data,
            "listen-client-urls": url,
            "advertise-client-urls": url,
            # A single member has no peers; port 0 keeps the listener that etcd insists on out of the way.
            "listen-peer-urls": f"http://{LOOPBACK}:0",
            "cert-file": pki.certificate("etcd"),
            "key-file": pki.key("etcd"),
            "client-cert-auth": "true",
            "trusted-ca-file": pki.certificate("etcd-ca"),
            "auto-compaction-mode": "periodic",
            "auto-compaction-retention": "1h",
            "log-level": "warn",
        },
    )


def api_server(program: Path, pki: Pki, *, port: int, etcd_port: int, issuer: str) -> list[str]:
    """The API server with RBAC, the default admission plugins (PodSecurity is one) and aggregation."""
    return _command(
        program,
        {
            "etcd-servers": f"https://{LOOPBACK}:{etcd_port}",
            "etcd-cafile": pki.certificate("etcd-ca"),
            "etcd-certfile": pki.certificate("etcd-client"),
            "etcd-keyfile": pki.key("etcd-client"),
            "bind-address": LOOPBACK,
            "secure-port": port,
            # Without it the server looks for the default route's interface, and fails where there is none.
            "advertise-address": LOOPBACK,
            # Loopback may not stand in the `kubernetes` Endpoints object, so nothing maintains it.
            "endpoint-reconciler-type": "none",
            "external-hostname": LOOPBACK,
            "tls-cert-file": pki.certificate("server"),
            "tls-private-key-file": pki.key("server"),
            "client-ca-file": pki.certificate("ca"),
            "authorization-mode": "Node,RBAC",
            "allow-privileged": "true",
            "service-cluster-ip-range": SERVICE_RANGE,
            "service-account-issuer": issuer,
            "api-audiences": f"{issuer},https://kubernetes.default.svc",
            "service-account-key-file": pki.service_account_public_key,
            "service-account-signing-key-file": pki.key("service-account"),
            "requestheader-client-ca-file": pki.certificate("front-proxy-ca"),
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": pki.certificate("front-proxy"),
            "proxy-client-key-file": pki.key("front-proxy"),
        },
    )


def controller_manager(program: Path, pki: Pki, *, port: int, kubeconfig: Path) -> list[str]:
    """All default controllers, each under its own service account, as RBAC expects it."""
    return _command(
        program,
        {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": LOOPBACK,
            "secure-port": port,
            "tls-cert-file": pki.certificate("server"),
            "tls-private-key-file": pki.key("server"),
            "client-ca-file": pki.certificate("ca"),
            "requestheader-client-ca-file": pki.certificate("front-proxy-ca"),
            "root-ca-file": pki.certificate("ca"),
            "cluster-signing-cert-file": pki.certificate("ca"),
            "cluster-signing-key-file": pki.key("ca"),
            "service-account-private-key-file": pki.key("service-account"),
            "use-service-account-credentials": "true",
            "service-cluster-ip-range": SERVICE_RANGE,
            "leader-elect": "false",
        },
    )


def _command(program: Path, flags: dict[str, object]) -> list[str]:
    return [str(program), *(f"--{name}={value}" for name, value in flags.items())]
