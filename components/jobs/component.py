"""OperationsJob: everything that one job of the platform needs, from its catalogue entry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from catalog.jobs import Job
from components.context import Context
from components.jobs.cron_job import config_map, cron_job, secret, service_account
from components.jobs.iam import permission_policy, trust_policy
from components.jobs.missed_run import missed_run_rules
from components.jobs.network_policy import Destinations, job_network_policy
from components.jobs.rbac import rbac_manifests
from components.kubernetes_object import kubernetes_object
from components.monitoring.prometheus_rule import prometheus_rule
from components.naming import CRON_JOB_NAME_CHARACTERS, IAM_ROLE_NAME_CHARACTERS, safe_name
from components.tags import aws_tags, kubernetes_labels

JOB_LABEL = "day2.dev/job"


@dataclass(frozen=True, kw_only=True)
class OperationsJobArgs:
    """What OperationsJob needs.

    Attributes:
        context: Where it stands.
        job_name: Name of the catalogue entry, and of the command in `python -m operations`.
        job: The catalogue entry.
        image: Image of `operations/`, by digest.
        namespace: Name of the namespace.
        oidc_issuer: The cluster's issuer of service-account tokens, an https address.
        arns: ARNs by the names that the entry's AWS grants use as `target`.
        destinations: Where the names in the entry's `egress` are.
        environment: Environment variables that are no secrets.
        secrets: Secret outputs by environment variable.

    Raises:
        ValueError: A grant's target has no ARN, or a secret of the entry is not given.
    """

    context: Context
    job_name: str
    job: Job
    image: str
    namespace: str
    oidc_issuer: pulumi.Input[str]
    arns: Mapping[str, Sequence[pulumi.Input[str]]]
    destinations: Destinations
    environment: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = sorted({grant.target for grant in self.job.aws} - self.arns.keys())
        if missing:
            known = ", ".join(sorted(self.arns))
            raise ValueError(f"job {self.job_name}: no ARN for {', '.join(missing)}; given are {known}")
        lacking = sorted({variable_of(name) for name in self.job.secrets} - self.secrets.keys())
        if lacking:
            raise ValueError(f"job {self.job_name}: no value for the secrets {', '.join(lacking)}: give them")


def variable_of(secret_name: str) -> str:
    """Environment variable that carries a secret of a catalogue entry: `slack-token` is SLACK_TOKEN."""
    return secret_name.upper().replace("-", "_")


class OperationsJob(pulumi.ComponentResource):
    """A CronJob with its own identity and nothing more than its catalogue entry grants.

    It makes the IAM role and its policy, the service account that may assume it, RBAC, the ConfigMap and
    Secret of its environment, a NetworkPolicy with the named egress, the CronJob and its missed-run alert.

    Example:
        >>> from catalog.load import load_catalogue
        >>> job = OperationsJob(
        ...     "eu-central-1-nightly-evidence",
        ...     OperationsJobArgs(
        ...         context=Context(
        ...             environment="docs", owner="platform", region="eu-central-1", account_id="123456789012"
        ...         ),
        ...         job_name="nightly-evidence",
        ...         job=load_catalogue().jobs["nightly-evidence"],
        ...         image="registry.example.com/day2/operations@sha256:" + "0" * 64,
        ...         namespace="day2-system",
        ...         oidc_issuer="https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
        ...         arns={
        ...             "evidence-store": ["arn:aws:s3:::evidence", "arn:aws:s3:::evidence/*"],
        ...             "signing-key": ["arn:aws:kms:eu-central-1:123456789012:key/1"],
        ...             "encryption-key": ["arn:aws:kms:eu-central-1:123456789012:key/2"],
        ...         },
        ...         destinations=Destinations(aws_cidrs=("10.0.0.0/16",), kubernetes_cidrs=("10.0.0.0/16",)),
        ...         environment={"DAY2_REGION": "eu-central-1"},
        ...     ),
        ... )
    """

    role_arn: pulumi.Output[str]
    """ARN of the job's IAM role."""
    cron_job_name: pulumi.Output[str]
    """Name of the CronJob."""

    def __init__(
        self, name: str, args: OperationsJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("day2:jobs:OperationsJob", name, None, opts)
        object_name = safe_name(args.job_name, limit=CRON_JOB_NAME_CHARACTERS)
        role = self._role(name, object_name, args)
        self.role_arn = role.arn
        permissions = self._permissions(name, role, args)
        self._objects(name, object_name, args, permissions)
        self.cron_job_name = pulumi.Output.from_input(object_name)
        self.register_outputs({"role_arn": self.role_arn, "cron_job_name": self.cron_job_name})

    def _role(self, name: str, object_name: str, args: OperationsJobArgs) -> aws.iam.Role:
        context = args.context
        trust = pulumi.Output.from_input(args.oidc_issuer).apply(
            lambda issuer: json.dumps(
                trust_policy(
                    account_id=context.account_id,
                    oidc_issuer=issuer,
                    namespace=args.namespace,
                    service_account=object_name,
                )
            )
        )
        return aws.iam.Role(
            f"{name}-role",
            name=safe_name(
                "day2", context.environment, context.region, object_name, limit=IAM_ROLE_NAME_CHARACTERS
            ),
            description=f"Job {args.job_name} of {context.environment} in {context.region}",
            assume_role_policy=trust,
            tags=aws_tags(context, args.job_name),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _permissions(self, name: str, role: aws.iam.Role, args: OperationsJobArgs) -> list[pulumi.Resource]:
        if not args.job.aws:
            return []
        policy = aws.iam.RolePolicy(
            f"{name}-permissions",
            name="permissions",
            role=role.name,
            policy=pulumi.Output.json_dumps(permission_policy(args.job.aws, args.arns)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [policy]

    def _objects(
        self, name: str, object_name: str, args: OperationsJobArgs, permissions: list[pulumi.Resource]
    ) -> None:
        labels = kubernetes_labels(args.context, args.job_name)
        metadata = {"name": object_name, "namespace": args.namespace, "labels": labels}
        selector = {JOB_LABEL: object_name}
        rules = missed_run_rules(args.job_name, args.job, cron_job=object_name, namespace=args.namespace)
        manifests = [
            service_account(metadata, role_arn=self.role_arn),
            *rbac_manifests(metadata, args.job.kubernetes),
            config_map(metadata, data=args.environment),
            *([secret(metadata, data=args.secrets)] if args.secrets else []),
            job_network_policy(
                metadata, pod_labels=selector, egress=args.job.egress, destinations=args.destinations
            ),
            prometheus_rule(
                {**metadata, "name": safe_name("operations-job", object_name)},
                [{"name": f"operations-job:{args.job_name}", "rules": rules}],
            ),
        ]
        opts = pulumi.ResourceOptions(parent=self)
        needed = [kubernetes_object(_logical_name(name, manifest), manifest, opts) for manifest in manifests]
        run = cron_job(
            metadata,
            command=args.job_name,
            job=args.job,
            image=args.image,
            pod_labels={**labels, **selector},
            secret_name=object_name if args.secrets else None,
        )
        # Last: a run must find its rights, its configuration and its network in place.
        kubernetes_object(
            _logical_name(name, run),
            run,
            pulumi.ResourceOptions(parent=self, depends_on=[*permissions, *needed]),
        )


def _logical_name(name: str, manifest: Mapping[str, object]) -> str:
    return f"{name}-{str(manifest['kind']).lower()}"
