"""Region: everything of one region, and the providers that it is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from catalog.load import Catalogue
from components.config import RegionSettings, Settings
from components.context import Context
from components.evidence.component import EvidenceStore, EvidenceStoreArgs
from components.jobs.component import OperationsJob, OperationsJobArgs, variable_of
from components.jobs.network_policy import Destinations
from components.kubeconfig import eks_kubeconfig
from components.monitoring.component import SloRules, SloRulesArgs
from components.namespace.component import OperationsNamespace, OperationsNamespaceArgs
from components.operators.component import Operators, OperatorsArgs

OPERATIONS_NAMESPACE = "day2-system"
"""Namespace of the platform's own jobs and rules."""


@dataclass(frozen=True, kw_only=True)
class RegionProviders:
    """What a region's resources are made with.

    Attributes:
        aws: Provider of the region's AWS account.
        kubernetes: Provider of the region's cluster.
        oidc_issuer: The cluster's issuer of service-account tokens.
    """

    aws: aws.Provider
    kubernetes: k8s.Provider
    oidc_issuer: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class RegionArgs:
    """What Region needs.

    Attributes:
        region: AWS region, one of the settings.
        settings: The stack's settings.
        catalogue: What is operated.
        oidc_issuer: The cluster's issuer of service-account tokens.
        secrets: Secret outputs by the names that jobs use.

    Raises:
        ValueError: The settings have no such region.
    """

    region: str
    settings: Settings
    catalogue: Catalogue
    oidc_issuer: pulumi.Input[str]
    secrets: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.region not in self.settings.regions:
            known = ", ".join(self.settings.regions)
            raise ValueError(f"region {self.region!r} is not in the settings, which have {known}")


def region_providers(region: str, settings: Settings) -> RegionProviders:
    """Makes the providers of a region; nothing is shared with another one.

    Args:
        region: AWS region, one of the settings.
        settings: The stack's settings.
    """
    cluster = settings.regions[region].cluster
    aws_provider = aws.Provider(
        f"{region}-aws",
        region=region,
        allowed_account_ids=[settings.aws.account_id],
        s3_use_path_style=settings.aws.s3_use_path_style,
        default_tags={"tags": {"day2:environment": settings.environment, "day2:owner": settings.owner}},
    )
    if cluster.eks is None:
        kubeconfig: pulumi.Input[str] = cluster.kubeconfig or ""
        issuer = pulumi.Output.from_input(cluster.oidc_issuer or "")
    else:
        found = aws.eks.get_cluster_output(
            name=cluster.eks, opts=pulumi.InvokeOutputOptions(provider=aws_provider)
        )
        kubeconfig = eks_kubeconfig(found, region)
        issuer = found.identities[0].oidcs[0].issuer
    kubernetes_provider = k8s.Provider(
        f"{region}-kubernetes",
        kubeconfig=kubeconfig,
        # Fixed, so that a new address or certificate of the same cluster replaces nothing.
        cluster_identifier=f"{settings.environment}-{region}",
        enable_server_side_apply=True,
        # What the program says holds: an edit by hand is undone by the next update, not a conflict.
        enable_patch_force=True,
        # Otherwise a changed value would replace the object, and for a moment there would be none.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
    return RegionProviders(aws=aws_provider, kubernetes=kubernetes_provider, oidc_issuer=issuer)


class Region(pulumi.ComponentResource):
    """One region: operators, namespace, evidence, SLO rules and jobs. It needs no other region.

    Example:
        >>> from catalog.load import load_catalogue
        >>> from components.config import parse_settings
        >>> catalogue = load_catalogue()
        >>> settings = parse_settings(
        ...     {
        ...         "environment": "docs",
        ...         "owner": "platform",
        ...         "aws": {"account_id": "123456789012"},
        ...         "regions": {
        ...             "eu-central-1": {
        ...                 "jurisdiction": "eu",
        ...                 "replica_region": "eu-west-1",
        ...                 "cluster": {"kubeconfig": "kubeconfig", "oidc_issuer": "https://oidc.example.com"},
        ...                 "egress": {"aws": ["10.0.0.0/16"], "kubernetes": ["10.0.0.0/16"]},
        ...             }
        ...         },
        ...         "evidence": {"retention_days": 365},
        ...         "operators": {"install": "helm"},
        ...         "jobs": {"image": "registry.example.com/day2/operations@sha256:" + "0" * 64},
        ...     },
        ...     file="Pulumi.docs.yaml",
        ...     residency=catalogue.residency,
        ... )
        >>> providers = region_providers("eu-central-1", settings)
        >>> region = Region(
        ...     "eu-central-1",
        ...     RegionArgs(
        ...         region="eu-central-1",
        ...         settings=settings,
        ...         catalogue=catalogue,
        ...         oidc_issuer=providers.oidc_issuer,
        ...     ),
        ...     pulumi.ResourceOptions(providers=[providers.aws, providers.kubernetes]),
        ... )
    """

    evidence_bucket: pulumi.Output[str]
    """Name of the bucket that the region's evidence is written to."""
    evidence_replica_bucket: pulumi.Output[str]
    """Name of the bucket that holds the copies."""
    signing_key_arn: pulumi.Output[str]
    """ARN of the key that signs the region's evidence."""
    namespace: pulumi.Output[str]
    """Namespace of the region's jobs."""

    def __init__(self, name: str, args: RegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("day2:platform:Region", name, None, opts)
        settings = args.settings
        context = Context(
            environment=settings.environment,
            owner=settings.owner,
            region=args.region,
            account_id=settings.aws.account_id,
        )
        crds_folder = settings.operators.crds_folder
        operators = Operators(
            f"{name}-operators",
            OperatorsArgs(
                context=context,
                install=settings.operators.install,
                crds_folder=None if crds_folder is None else Path(crds_folder),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        namespace = OperationsNamespace(
            f"{name}-namespace",
            OperationsNamespaceArgs(context=context, namespace=OPERATIONS_NAMESPACE),
            pulumi.ResourceOptions(parent=self),
        )
        store = EvidenceStore(
            f"{name}-evidence",
            EvidenceStoreArgs(
                context=context,
                replica_region=settings.regions[args.region].replica_region,
                retention_days=settings.evidence.retention_days,
                lock_mode=settings.evidence.lock_mode,
                force_destroy=settings.evidence.force_destroy,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        after_cluster = pulumi.ResourceOptions(parent=self, depends_on=[operators, namespace])
        self._slo_rules(name, args, context, after_cluster)
        self._jobs(name, args, context, store, after_cluster)
        self.evidence_bucket = store.bucket_name
        self.evidence_replica_bucket = store.replica_bucket_name
        self.signing_key_arn = store.signing_key_arn
        self.namespace = namespace.namespace
        self.register_outputs(
            {
                "evidence_bucket": self.evidence_bucket,
                "evidence_replica_bucket": self.evidence_replica_bucket,
                "signing_key_arn": self.signing_key_arn,
                "namespace": self.namespace,
            }
        )

    def _slo_rules(self, name: str, args: RegionArgs, context: Context, opts: pulumi.ResourceOptions) -> None:
        for service in args.catalogue.services.values():
            SloRules(
                f"{name}-slo-{service.name}",
                SloRulesArgs(
                    context=context,
                    service=service,
                    policies=args.catalogue.burn_rate_policies,
                    namespace=OPERATIONS_NAMESPACE,
                ),
                opts,
            )

    def _jobs(
        self,
        name: str,
        args: RegionArgs,
        context: Context,
        store: EvidenceStore,
        opts: pulumi.ResourceOptions,
    ) -> None:
        its = args.settings.regions[args.region]
        for job_name, job in args.catalogue.jobs.items():
            OperationsJob(
                f"{name}-{job_name}",
                OperationsJobArgs(
                    context=context,
                    job_name=job_name,
                    job=job,
                    image=args.settings.jobs.image,
                    namespace=OPERATIONS_NAMESPACE,
                    oidc_issuer=args.oidc_issuer,
                    arns=_grantable_arns(store),
                    destinations=_destinations(its),
                    environment=_environment(args.settings, args.region, store),
                    secrets={variable_of(secret): args.secrets[secret] for secret in job.secrets},
                ),
                opts,
            )


def _grantable_arns(store: EvidenceStore) -> dict[str, list[pulumi.Output[str]]]:
    return {
        "evidence-store": [store.bucket_arn, store.bucket_arn.apply(lambda arn: f"{arn}/*")],
        "evidence-replica": [
            store.replica_bucket_arn,
            store.replica_bucket_arn.apply(lambda arn: f"{arn}/*"),
        ],
        "signing-key": [store.signing_key_arn],
        "encryption-key": [store.encryption_key_arn],
    }


def _destinations(its: RegionSettings) -> Destinations:
    prometheus = its.prometheus
    return Destinations(
        aws_cidrs=tuple(str(cidr) for cidr in its.egress.aws),
        kubernetes_cidrs=tuple(str(cidr) for cidr in its.egress.kubernetes),
        kubernetes_port=its.egress.kubernetes_port,
        prometheus_namespace=prometheus.namespace if prometheus else None,
        prometheus_port=prometheus.port if prometheus else 9_090,
    )


def _environment(settings: Settings, region: str, store: EvidenceStore) -> dict[str, pulumi.Input[str]]:
    """The environment that `operations.settings` reads."""
    environment: dict[str, pulumi.Input[str]] = {
        "AWS_REGION": region,
        "DAY2_ENVIRONMENT": settings.environment,
        "DAY2_REGION": region,
        "DAY2_NAMESPACE": OPERATIONS_NAMESPACE,
        "DAY2_EVIDENCE_BUCKET": store.bucket_name,
        "DAY2_EVIDENCE_RETENTION_DAYS": str(settings.evidence.retention_days),
        "DAY2_EVIDENCE_LOCK_MODE": settings.evidence.lock_mode,
        "DAY2_SIGNING_KEY_ARN": store.signing_key_arn,
        "DAY2_ENCRYPTION_KEY_ARN": store.encryption_key_arn,
    }
    prometheus = settings.regions[region].prometheus
    if prometheus is not None:
        environment["DAY2_PROMETHEUS_URL"] = prometheus.url
    return environment
