"""Args of components refuse what AWS or Kubernetes would refuse later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.jobs import AwsGrant
from catalog.load import Catalogue
from components.context import Context
from components.evidence.component import EvidenceStoreArgs
from components.evidence.locked_bucket import LockedBucketArgs
from components.jobs.component import OperationsJobArgs, variable_of
from components.jobs.network_policy import Destinations
from components.monitoring.component import SloRulesArgs
from components.namespace.component import OperationsNamespaceArgs
from components.operators.component import OperatorsArgs
from components.region import RegionArgs
from local.recording import stack_inputs
from tests.unit.support import job

_HERE = {"environment": "docs", "owner": "platform", "region": "eu-central-1", "account_id": "123456789012"}
CONTEXT = Context(**_HERE)


def _bucket(**changes: Any) -> LockedBucketArgs:
    plain: dict[str, Any] = {"retention_days": 1, "lock_mode": "GOVERNANCE"}
    return LockedBucketArgs(
        context=CONTEXT, bucket_region="eu-west-1", bucket_name="b", **{**plain, **changes}
    )


def _job(**changes: Any) -> OperationsJobArgs:
    plain: dict[str, Any] = {
        "context": CONTEXT,
        "job_name": "nothing",
        "image": "i",
        "namespace": "n",
        "oidc_issuer": "https://oidc.example.com",
        "arns": {"evidence-store": ["arn:b"]},
        "destinations": Destinations(aws_cidrs=(), kubernetes_cidrs=()),
        "environment": {},
    }
    return OperationsJobArgs(**{**plain, **changes})


def _granted() -> OperationsJobArgs:
    grant = AwsGrant(actions=("kms:Sign",), target="signing-key")
    return _job(job=job(aws=[grant], egress=["aws"]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Context(**{**_HERE, "region": ""}), "region of a Context is empty: give it a value"),
        (lambda: _bucket(retention_days=0), "retention_days is 0: write 1 or more"),
        (
            lambda: _bucket(lock_mode="governance"),
            "lock_mode is 'governance': write GOVERNANCE or COMPLIANCE",
        ),
        (
            lambda: EvidenceStoreArgs(
                context=CONTEXT, replica_region="eu-central-1", retention_days=1, lock_mode="GOVERNANCE"
            ),
            "replica_region is eu-central-1, the store's own region: choose another",
        ),
        (_granted, "job nothing: no ARN for signing-key; given are evidence-store"),
        (lambda: _job(job=job(secrets=["pager-key"])), "job nothing: no value for the secrets PAGER_KEY"),
        (
            lambda: OperationsNamespaceArgs(context=CONTEXT, namespace="kube-system"),
            "'kube-system' can't be used",
        ),
        (lambda: OperationsNamespaceArgs(context=CONTEXT, namespace=""), "'' can't be used"),
        (lambda: OperatorsArgs(context=CONTEXT, install="crds"), "install is crds: give crds_folder"),
        (
            lambda: OperatorsArgs(context=CONTEXT, install="crds", crds_folder=Path("nowhere")),
            "nowhere holds no resource definitions of prometheus-operator, keda",
        ),
    ],
)
def test_wrong_args_are_refused_with_what_to_do(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        make()
    assert message in str(caught.value)


def test_rules_need_the_policy_that_an_slo_names(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="names the policy 'multiwindow', but given are wide-budget"):
        SloRulesArgs(
            context=CONTEXT,
            service=catalogue.services["reporting"],
            policies={"wide-budget": catalogue.burn_rate_policies["wide-budget"]},
            namespace="n",
        )


def test_rules_need_an_slo(catalogue: Catalogue) -> None:
    bare = catalogue.services["reporting"].model_copy(update={"slos": ()})
    with pytest.raises(ValueError, match="service reporting has no SLO: add one to its catalogue file"):
        SloRulesArgs(context=CONTEXT, service=bare, policies={}, namespace="n")


def test_a_region_must_be_one_of_the_settings(catalogue: Catalogue) -> None:
    settings, _ = stack_inputs("staging")
    with pytest.raises(ValueError, match="region 'eu-west-1' is not in the settings, which have us-east-1"):
        RegionArgs(
            region="eu-west-1", settings=settings, catalogue=catalogue, oidc_issuer="https://oidc.example.com"
        )


def test_a_secrets_variable_is_its_name_in_capitals() -> None:
    assert variable_of("slack-token") == "SLACK_TOKEN"
