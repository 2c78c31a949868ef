"""The settings of a stack: every wrong variant gets one problem that says how to mend it."""

# ruff: noqa: E501 one wrong input a line reads as a table

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks

from catalog.load import Catalogue
from catalog.problems import InputError, Problem
from components.config import Settings, job_secrets, parse_settings, stack_settings
from local.recording import ROOT
from tests.unit.support import job

KEY = "day2:platform"
Edit = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Wrong:
    """One edit of the staging settings, and what has to be said about it."""

    what: str
    edit: Edit
    key: str
    value: str
    fix: str


def _eu(raw: dict[str, Any]) -> dict[str, Any]:
    region: dict[str, Any] = raw["regions"]["eu-central-1"]
    return region


_EU = ".regions.eu-central-1"
# Keys, values and fixes are parts of what is told.
WRONG = (
    Wrong("unknown key", lambda r: r.update(enviroment="x"), ".enviroment", "'x'", "did you mean 'environment'?"),
    Wrong("unknown key deep inside", lambda r: _eu(r)["egress"].update(kubernetes_prot=1), f"{_EU}.egress.kubernetes_prot", "1", "did you mean 'kubernetes_port'?"),
    Wrong("missing key", lambda r: r.pop("owner"), ".owner", "", "is missing: add it"),
    Wrong("wrong type", lambda r: r["evidence"].update(retention_days="ninety"), ".evidence.retention_days", "'ninety'", "valid integer"),
    Wrong("no retention", lambda r: r["evidence"].update(retention_days=0), ".evidence.retention_days", "0", "greater than or equal to 1"),
    Wrong("no region", lambda r: r["regions"].clear(), ".regions", "{}", "at least 1 item"),
    Wrong("region without settings", lambda r: r["regions"].update({"eu-central-1": None}), _EU, "None", "valid dictionary"),
    Wrong("replica outside the jurisdiction", lambda r: _eu(r).update(replica_region="us-west-2"), f"{_EU}.replica_region", "'us-west-2'", "another region of jurisdiction eu: choose of eu-west-1"),
    Wrong("replica in the same region", lambda r: _eu(r).update(replica_region="eu-central-1"), f"{_EU}.replica_region", "'eu-central-1'", "another region of jurisdiction eu: choose of eu-west-1"),
    Wrong("region of another jurisdiction", lambda r: _eu(r).update(jurisdiction="us"), _EU, "'eu-central-1'", "no region of jurisdiction us in catalog/residency.yaml: it is under eu"),
    Wrong("mistyped region", lambda r: r["regions"].update({"eu-centrl-1": r["regions"].pop("eu-central-1")}), ".regions.eu-centrl-1", "'eu-centrl-1'", "did you mean 'eu-central-1'?"),
    Wrong("unknown jurisdiction", lambda r: _eu(r).update(jurisdiction="eur"), f"{_EU}.jurisdiction", "'eur'", "did you mean 'eu'?"),
    Wrong("eks and kubeconfig", lambda r: _eu(r)["cluster"].update(kubeconfig="x"), f"{_EU}.cluster", "", "exactly one of eks (a cluster's name) and kubeconfig (a file)"),
    Wrong("no cluster", lambda r: _eu(r)["cluster"].clear(), f"{_EU}.cluster", "{}", "exactly one of eks (a cluster's name) and kubeconfig (a file)"),
    Wrong("kubeconfig without issuer", lambda r: _eu(r).update(cluster={"kubeconfig": "x"}), f"{_EU}.cluster", "", "also needs oidc_issuer"),
    Wrong("issuer beside eks", lambda r: _eu(r)["cluster"].update(oidc_issuer="https://x"), f"{_EU}.cluster", "", "remove it, EKS tells its own"),
    Wrong("issuer without TLS", lambda r: _eu(r).update(cluster={"kubeconfig": "x", "oidc_issuer": "http://x"}), f"{_EU}.cluster.oidc_issuer", "'http://x'", "https://"),
    Wrong("evidence that can and cannot be destroyed", lambda r: r["evidence"].update(lock_mode="COMPLIANCE", force_destroy=True), ".evidence", "", "which nothing can destroy: remove one"),
    Wrong("lock mode in lower case", lambda r: r["evidence"].update(lock_mode="governance"), ".evidence.lock_mode", "'governance'", "'GOVERNANCE' or 'COMPLIANCE'"),
    Wrong("image by tag", lambda r: r["jobs"].update(image="registry.example.com/day2:latest"), ".jobs.image", "'registry.example.com/day2:latest'", "sha256"),
    Wrong("account as a number", lambda r: r["aws"].update(account_id=210987654321), ".aws.account_id", "210987654321", "valid string"),
    Wrong("account too short", lambda r: r["aws"].update(account_id="123"), ".aws.account_id", "'123'", ""),
    Wrong("no address range", lambda r: _eu(r)["egress"].update(aws=[]), f"{_EU}.egress.aws", "[]", "at least 1 item"),
    Wrong("port 0", lambda r: _eu(r)["egress"].update(kubernetes_port=0), f"{_EU}.egress.kubernetes_port", "0", "greater than or equal to 1"),
    Wrong("address without scheme", lambda r: _eu(r)["prometheus"].update(url="prometheus:9090"), f"{_EU}.prometheus.url", "'prometheus:9090'", "write http://host:port"),
    Wrong("definitions without a folder", lambda r: r["operators"].update(install="crds"), ".operators", "", "needs crds_folder with install: crds, and only then"),
    Wrong("charts with a folder", lambda r: r["operators"].update(crds_folder="x"), ".operators", "", "needs crds_folder with install: crds, and only then"),
    Wrong("environment in capitals", lambda r: r.update(environment="Prod_1"), ".environment", "'Prod_1'", ""),
    Wrong("address range with host bits", lambda r: _eu(r)["egress"].update(aws=["10.0.0.1/16"]), f"{_EU}.egress.aws.0", "'10.0.0.1/16'", "write 10.0.0.0/16"),
    Wrong("no address range at all", lambda r: _eu(r)["egress"].update(aws=["all"]), f"{_EU}.egress.aws.0", "'all'", "is not an address range"),
    Wrong("port that no address has", lambda r: _eu(r)["prometheus"].update(url="http://prometheus:99999"), f"{_EU}.prometheus.url", "'http://prometheus:99999'", "write http://host:port"),
)  # fmt: skip


@pytest.fixture
def raw() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text())["config"][KEY]
    return copy.deepcopy(content)


def _problem(raw: Any, catalogue: Catalogue) -> Problem:
    with pytest.raises(InputError) as caught:
        parse_settings(raw, file="Pulumi.staging.yaml", residency=catalogue.residency, key=KEY)
    assert len(caught.value.problems) == 1, str(caught.value)
    return caught.value.problems[0]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what)
def test_wrong_settings_are_told_with_file_key_value_and_fix(
    raw: dict[str, Any], catalogue: Catalogue, wrong: Wrong
) -> None:
    wrong.edit(raw)
    problem = _problem(raw, catalogue)
    assert problem.file == "Pulumi.staging.yaml"
    assert problem.key == KEY + wrong.key
    assert wrong.value in problem.value
    assert wrong.fix in problem.fix


def test_missing_settings_point_to_an_example(catalogue: Catalogue) -> None:
    assert str(_problem(None, catalogue)) == (
        "Pulumi.staging.yaml: day2:platform: is missing: add it, Pulumi.local.yaml shows its keys"
    )


@pytest.mark.parametrize("raw", [[], "local", 3])
def test_settings_of_another_shape_are_refused(raw: object, catalogue: Catalogue) -> None:
    assert "valid dictionary" in _problem(raw, catalogue).fix


def test_the_port_of_prometheus_follows_its_address(raw: dict[str, Any], catalogue: Catalogue) -> None:
    ports = []
    for url in ("http://prometheus:9090", "http://prometheus", "https://prometheus"):
        _eu(raw)["prometheus"]["url"] = url
        found = parse_settings(raw, file="", residency=catalogue.residency).regions["eu-central-1"].prometheus
        assert found is not None
        ports.append(found.port)
    assert ports == [9090, 80, 443]


def test_settings_cannot_be_changed(raw: dict[str, Any], catalogue: Catalogue) -> None:
    settings = parse_settings(raw, file="", residency=catalogue.residency)
    with pytest.raises(ValueError, match="frozen"):
        settings.environment = "prod"  # type: ignore[misc]


class _NoResources(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(f"{args.name} was registered")

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"{args.token} was called")


@pytest.fixture
def config() -> Iterator[Callable[[dict[str, str]], None]]:
    """Sets the configuration of a stack called `here`."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    set_mocks(_NoResources(), project="day2", stack="here")
    yield pulumi.runtime.set_all_config
    pulumi.runtime.set_all_config({})
    asyncio.set_event_loop(None)
    loop.close()


def _with_kubeconfig(raw: dict[str, Any], path: Path) -> dict[str, str]:
    _eu(raw)["cluster"] = {"kubeconfig": str(path), "oidc_issuer": "https://oidc.example.com"}
    return {KEY: json.dumps(raw)}


def test_the_stack_that_runs_names_its_own_file(
    config: Callable[[dict[str, str]], None], catalogue: Catalogue
) -> None:
    config({})
    with pytest.raises(InputError, match=r"^Pulumi\.here\.yaml: day2:platform: is missing"):
        stack_settings(catalogue.residency)


def test_settings_that_are_no_object_are_refused(
    config: Callable[[dict[str, str]], None], catalogue: Catalogue
) -> None:
    config({KEY: "eu-central-1"})
    with pytest.raises(InputError, match="day2:platform is 'eu-central-1': must be an object with keys"):
        stack_settings(catalogue.residency)


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (None, "no such file: start the embedded platform with `make up`"),
        (b"clusters: [", "is not YAML"),
        (b"apiVersion: v1", "names no cluster"),
        (b"- 1", "names no cluster"),
        (b"\xff\xfe\xfa", "can't be read"),
    ],
    ids=["missing", "not YAML", "no cluster", "a list", "not text"],
)
def test_a_kubeconfig_that_cannot_be_used_is_told_before_anything_is_registered(  # noqa: PLR0917 fixtures
    config: Callable[[dict[str, str]], None],
    raw: dict[str, Any],
    catalogue: Catalogue,
    tmp_path: Path,
    content: bytes | None,
    fix: str,
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_bytes(content)
    config(_with_kubeconfig(raw, path))
    with pytest.raises(InputError) as caught:
        stack_settings(catalogue.residency)
    (problem,) = caught.value.problems
    assert problem.key == f"{KEY}{_EU}.cluster.kubeconfig"
    assert problem.fix.startswith(fix)


def test_a_kubeconfig_that_is_a_folder_is_told(
    config: Callable[[dict[str, str]], None], raw: dict[str, Any], catalogue: Catalogue, tmp_path: Path
) -> None:
    config(_with_kubeconfig(raw, tmp_path))
    with pytest.raises(InputError, match="can't be read"):
        stack_settings(catalogue.residency)


def test_a_kubeconfig_with_a_cluster_is_taken(
    config: Callable[[dict[str, str]], None], raw: dict[str, Any], catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("clusters: [{name: here}]")
    config(_with_kubeconfig(raw, path))
    settings: Settings = stack_settings(catalogue.residency)
    assert settings.regions["eu-central-1"].cluster.kubeconfig == str(path)


def test_secrets_that_a_job_asks_for_must_be_set(config: Callable[[dict[str, str]], None]) -> None:
    config({"day2:pager-key": "1234"})
    jobs = {"notify": job(secrets=["pager-key", "slack-token"])}
    with pytest.raises(InputError) as caught:
        job_secrets(jobs)
    assert str(caught.value) == (
        "Pulumi.here.yaml: day2:slack-token: is missing, job notify needs it: "
        "pulumi config set --secret day2:slack-token …"
    )


def test_only_secrets_that_jobs_ask_for_are_read(config: Callable[[dict[str, str]], None]) -> None:
    config({"day2:pager-key": "1234", "day2:other": "5678"})
    assert list(job_secrets({"notify": job(secrets=["pager-key"])})) == ["pager-key"]
    assert job_secrets({"nothing": job()}) == {}
