"""The stack's settings, typed once: the `platform` object of `Pulumi.<stack>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import pulumi
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from catalog.base import Name
from catalog.jobs import Job
from catalog.problems import InputError, Problem, did_you_mean, problems_of, shown
from catalog.residency import Residency

PLATFORM_KEY = "platform"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_http_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number up to 65535
        is_address = False
    if not is_address:
        raise ValueError("is not an address: write http://host:port or https://host:port")
    return url


def _network(text: Any) -> Any:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        whole = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not an address range: write one such as 10.0.0.0/16") from None
    raise ValueError(f"has bits past its prefix: write {whole}")


AddressRange = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
HttpUrl = Annotated[str, AfterValidator(_is_http_url)]


class AwsSettings(_Settings):
    """The AWS account of the stack.

    Attributes:
        account_id: Twelve digits; the providers refuse to touch any other account.
        s3_use_path_style: Bucket name in the path instead of the host name, for S3-compatible endpoints.
    """

    account_id: Annotated[str, Field(pattern=r"^\d{12}$")]
    s3_use_path_style: bool = False


class ClusterSettings(_Settings):
    """Which Kubernetes cluster a region uses: an EKS cluster by name, or any by kubeconfig.

    Attributes:
        eks: Name of the EKS cluster in the region.
        kubeconfig: Path of a kubeconfig file, relative to the project.
        oidc_issuer: Issuer of its service-account tokens, an https address that IAM trusts; EKS tells its
            own, for a kubeconfig it must be given.
    """

    eks: str | None = None
    kubeconfig: str | None = None
    oidc_issuer: Annotated[str, Field(pattern=r"^https://")] | None = None

    @model_validator(mode="after")
    def _one_of_eks_and_kubeconfig(self) -> Self:
        if (self.eks is None) == (self.kubeconfig is None):
            raise ValueError("needs exactly one of eks (a cluster's name) and kubeconfig (a file)")
        if self.kubeconfig is not None and self.oidc_issuer is None:
            raise ValueError("with kubeconfig also needs oidc_issuer: the cluster's --service-account-issuer")
        if self.eks is not None and self.oidc_issuer is not None:
            raise ValueError("has oidc_issuer beside eks: remove it, EKS tells its own")
        return self


class EgressSettings(_Settings):
    """Address ranges that jobs' pods reach over TCP.

    Attributes:
        aws: Ranges of the AWS interface endpoints, port 443.
        kubernetes: Ranges of the API server, port `kubernetes_port`.
        kubernetes_port: Port of the API server.
    """

    aws: Annotated[tuple[AddressRange, ...], Field(min_length=1)]
    kubernetes: Annotated[tuple[AddressRange, ...], Field(min_length=1)]
    kubernetes_port: Annotated[int, Field(ge=1, le=65_535)] = 443


class PrometheusSettings(_Settings):
    """The region's Prometheus.

    Attributes:
        url: Its address inside the cluster.
        namespace: Namespace that its pods run in.
    """

    url: HttpUrl
    namespace: Name

    @property
    def port(self) -> int:
        """TCP port of the address."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class RegionSettings(_Settings):
    """One region of the platform.

    Attributes:
        jurisdiction: Residency rules that it is under, a name of `catalog/residency.yaml`.
        replica_region: AWS region of the same jurisdiction that holds the evidence's second copy.
        cluster: Its Kubernetes cluster.
        egress: What its jobs' pods reach.
        prometheus: Its Prometheus, None where none runs.
    """

    jurisdiction: Name
    replica_region: str
    cluster: ClusterSettings
    egress: EgressSettings
    prometheus: PrometheusSettings | None = None


class EvidenceSettings(_Settings):
    """How evidence is kept.

    Attributes:
        retention_days: Days for which no version can be deleted.
        lock_mode: GOVERNANCE lets a principal with s3:BypassGovernanceRetention delete; COMPLIANCE lets
            nobody, not the root user either, and can't be taken back.
        force_destroy: Whether destroying the stack deletes evidence, buckets and keys; otherwise they stay.
    """

    retention_days: Annotated[int, Field(ge=1, le=3_650)]
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    force_destroy: bool = False

    @model_validator(mode="after")
    def _compliance_is_final(self) -> Self:
        if self.force_destroy and self.lock_mode == "COMPLIANCE":
            raise ValueError(
                "has force_destroy with lock_mode COMPLIANCE, which nothing can destroy: remove one"
            )
        return self


class OperatorsSettings(_Settings):
    """How the operators come into the clusters.

    Attributes:
        install: `helm` installs the pinned charts, `crds` only their resource definitions.
        crds_folder: With `crds`: folder with `<operator>/<name>.json`, relative to the project.
    """

    install: Literal["helm", "crds"]
    crds_folder: str | None = None

    @model_validator(mode="after")
    def _crds_need_a_folder(self) -> Self:
        if (self.install == "crds") != (self.crds_folder is not None):
            raise ValueError("needs crds_folder with install: crds, and only then")
        return self


class JobsSettings(_Settings):
    """How the platform's jobs run.

    Attributes:
        image: Container image of `operations/`, by digest.
    """

    image: Annotated[str, Field(pattern=r"^[a-z0-9][^@\s]*@sha256:[0-9a-f]{64}$")]


class Settings(_Settings):
    """Everything that differs between stacks, but for secrets.

    Attributes:
        environment: Name of the environment; part of every physical name.
        owner: Team that owns the platform; a tag on everything.
        aws: The AWS account.
        regions: By AWS region.
        evidence: How evidence is kept.
        operators: How operators come into the clusters.
        jobs: How the platform's jobs run.
    """

    environment: Name
    owner: Name
    aws: AwsSettings
    regions: Annotated[dict[str, RegionSettings], Field(min_length=1)]
    evidence: EvidenceSettings
    operators: OperatorsSettings
    jobs: JobsSettings


def parse_settings(raw: Any, *, file: str, residency: Residency, key: str = PLATFORM_KEY) -> Settings:
    """Checks the `platform` object of a stack file.

    Args:
        raw: The object as read from the file, None where there is none.
        file: Name of the file, for messages.
        residency: What says which regions are under one jurisdiction.
        key: Name of the object inside the file, for messages.

    Raises:
        InputError: A key is unknown, missing or of the wrong type, or a region or its replica is outside
            its jurisdiction.
    """
    if raw is None:
        problem = Problem(
            file=file, key=key, value="", fix="is missing: add it, Pulumi.local.yaml shows its keys"
        )
        raise InputError([problem])
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise InputError(problems_of(error, file=file, prefix=key, model=Settings)) from None
    problems = [
        problem
        for region, its in settings.regions.items()
        for problem in _residency_problems(region, its, residency, file, f"{key}.regions.{region}")
    ]
    if problems:
        raise InputError(problems)
    return settings


def _residency_problems(
    region: str, its: RegionSettings, residency: Residency, file: str, key: str
) -> list[Problem]:
    allowed = residency.jurisdictions.get(its.jurisdiction)
    if allowed is None:
        hint = did_you_mean(its.jurisdiction, residency.jurisdictions)
        fix = f"no such jurisdiction in catalog/residency.yaml: {hint}"
        return [Problem(file=file, key=f"{key}.jurisdiction", value=shown(its.jurisdiction), fix=fix)]
    if region not in allowed:
        where = residency.jurisdiction_of(region)
        known = f"it is under {where}" if where else did_you_mean(region, allowed)
        fix = f"is no region of jurisdiction {its.jurisdiction} in catalog/residency.yaml: {known}"
        return [Problem(file=file, key=key, value=shown(region), fix=fix)]
    others = [name for name in allowed if name != region]
    if its.replica_region not in others:
        fix = f"must be another region of jurisdiction {its.jurisdiction}: choose of {', '.join(others)}"
        return [Problem(file=file, key=f"{key}.replica_region", value=shown(its.replica_region), fix=fix)]
    return []


def stack_settings(residency: Residency) -> Settings:
    """The settings of the stack that the engine runs now.

    Raises:
        InputError: As `parse_settings`; or a kubeconfig or folder that they name can't be read.
    """
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    config = pulumi.Config()
    key = config.full_key(PLATFORM_KEY)
    try:
        raw = config.get_object(PLATFORM_KEY)
    except pulumi.ConfigTypeError:
        problem = Problem(
            file=file, key=key, value=shown(config.get(PLATFORM_KEY)), fix="must be an object with keys"
        )
        raise InputError([problem]) from None
    settings = parse_settings(raw, file=file, residency=residency, key=key)
    problems = [*_kubeconfig_problems(settings, file, key), *_crds_problems(settings, file, key)]
    if problems:
        raise InputError(problems)
    return settings


def _kubeconfig_problems(settings: Settings, file: str, key: str) -> list[Problem]:
    problems = []
    for region, its in settings.regions.items():
        path = its.cluster.kubeconfig
        fault = None if path is None else _kubeconfig_fault(Path(path))
        if fault is not None:
            where = f"{key}.regions.{region}.cluster.kubeconfig"
            problems.append(Problem(file=file, key=where, value=shown(path), fix=fault))
    return problems


def _crds_problems(settings: Settings, file: str, key: str) -> list[Problem]:
    folder = settings.operators.crds_folder
    if folder is None or Path(folder).is_dir():
        return []
    fix = "no such folder: `make up` writes it for the embedded platform, elsewhere write your own folder"
    return [Problem(file=file, key=f"{key}.operators.crds_folder", value=shown(folder), fix=fix)]


def _kubeconfig_fault(path: Path) -> str | None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (
            "no such file: start the embedded platform with `make up`, or write the path of your kubeconfig"
        )
    except (OSError, UnicodeDecodeError) as error:
        return f"can't be read ({error}): mend its permissions or write another path"
    except yaml.YAMLError:
        return "is not YAML: write the path of a kubeconfig"
    if not isinstance(content, dict) or not content.get("clusters"):
        return "names no cluster: write the path of a kubeconfig"
    return None


def job_secrets(jobs: Mapping[str, Job]) -> dict[str, pulumi.Output[str]]:
    """Config secrets that jobs ask for, by name.

    Raises:
        InputError: One is not set in the stack.
    """
    config = pulumi.Config()
    found: dict[str, pulumi.Output[str]] = {}
    problems = []
    for job_name, job in jobs.items():
        for secret in job.secrets:
            value = config.get_secret(secret)
            if value is None:
                key = config.full_key(secret)
                fix = f"is missing, job {job_name} needs it: pulumi config set --secret {key} …"
                problems.append(Problem(file=f"Pulumi.{pulumi.get_stack()}.yaml", key=key, value="", fix=fix))
            else:
                found[secret] = value
    if problems:
        raise InputError(problems)
    return found
