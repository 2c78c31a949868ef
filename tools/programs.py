"""The table of third-party programs: what is pinned, where it comes from, how long a build takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODULES_DIR = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Release:
    """An official binary release for one platform.

    Attributes:
        url: Address of the file; `{version}` stands for the program's version.
        sha256: Checksum of the downloaded file as published by the project, hexadecimal.
        member: Path inside a .tar.gz; empty when the file is the program itself.
    """

    url: str
    sha256: str
    member: str = ""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One pinned program.

    Attributes:
        name: File name of the program.
        version: The pinned version as the program prints it.
        module: Folder under tools/ whose go.mod and go.sum pin the sources.
        package: Go package of the command.
        ldflags: Linker flags; they carry the version where the build does not know it.
        build_minutes: Usual time of a cold build on 2 cores, for the progress line.
        version_arguments: Arguments that make the program print its version.
        version_pattern: Regular expression whose group 1 is the version in that output.
        releases: Official binaries by platform (`linux/amd64`).
    """

    name: str
    version: str
    module: str
    package: str
    ldflags: str
    build_minutes: float
    version_arguments: tuple[str, ...]
    version_pattern: str
    releases: tuple[tuple[str, Release], ...] = ()

    @property
    def module_dir(self) -> Path:
        """The folder with go.mod and go.sum."""
        return MODULES_DIR / self.module


_KUBERNETES_LDFLAGS = (
    "-s -w -X k8s.io/component-base/version.gitVersion=v1.35.4"
    " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35"
)

# No `releases` are listed: a checksum belongs here only when it was read from the project's own
# published list, and until then building from the pinned modules is the way that always works.
_ALL = (
    Program(
        name="etcd",
        version="3.6.8",
        module="etcd",
        package="go.etcd.io/etcd/server/v3",
        ldflags="-s -w",
        build_minutes=0.5,
        version_arguments=("--version",),
        version_pattern=r"etcd Version: (\S+)",
    ),
    Program(
        name="kube-apiserver",
        version="v1.35.4",
        module="kubernetes",
        package="k8s.io/kubernetes/cmd/kube-apiserver",
        ldflags=_KUBERNETES_LDFLAGS,
        build_minutes=5,
        version_arguments=("--version",),
        version_pattern=r"Kubernetes (\S+)",
    ),
    Program(
        name="kube-controller-manager",
        version="v1.35.4",
        module="kubernetes",
        package="k8s.io/kubernetes/cmd/kube-controller-manager",
        ldflags=_KUBERNETES_LDFLAGS,
        build_minutes=2,
        version_arguments=("--version",),
        version_pattern=r"Kubernetes (\S+)",
    ),
    Program(
        name="promtool",
        version="3.15.0",
        module="promtool",
        package="github.com/prometheus/prometheus/cmd/promtool",
        # Module v0.315.0 is Prometheus 3.15.0; a plain `go build` leaves the version empty.
        ldflags="-s -w -X github.com/prometheus/common/version.Version=3.15.0",
        build_minutes=4,
        version_arguments=("--version",),
        version_pattern=r"promtool, version (\S+)",
    ),
    Program(
        name="pulumi",
        version="v3.259.0",
        module="pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ldflags="-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.259.0",
        build_minutes=4,
        version_arguments=("version",),
        version_pattern=r"^(v\S+)",
    ),
)

PROGRAMS: dict[str, Program] = {program.name: program for program in _ALL}
