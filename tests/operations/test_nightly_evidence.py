"""The nightly job as its pod runs it: a process, told by its environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.load import load_catalogue
from operations.evidence.canonical import sha256_hex
from operations.evidence.steps import TrustedKey
from operations.evidence.verify import verify_bundle
from operations.jobs.nightly_evidence.availability import available
from tests.operations.api_server import OBJECTS, ApiServer, kubeconfig
from tests.operations.support import Night, StartServer, job_environment, vector


def _good_month(_: str, query: dict[str, str]) -> tuple[int, object]:
    """A Prometheus that has seen the whole period, with hardly any errors in it."""
    covered = query["query"].startswith("count_over_time")
    return 200, vector("1" if covered else "0.0001")


@pytest.fixture
def run_job(
    night: Night, aws_endpoint: str, json_server: StartServer, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the job as its pod does: a process of its own, told by its environment."""
    config = kubeconfig(tmp_path / "kubeconfig", json_server(ApiServer(OBJECTS).answer).url)
    environment = {
        **job_environment(),
        "DAY2_EVIDENCE_BUCKET": night.target.bucket,
        "DAY2_SIGNING_KEY_ARN": night.target.signing_key_arn,
        "DAY2_ENCRYPTION_KEY_ARN": night.target.encryption_key_arn or "",
        "DAY2_PROMETHEUS_URL": json_server(_good_month).url,
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "KUBECONFIG": str(config),
        "PATH": "",
    }
    root = Path(__file__).parents[2]

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        told = {k: v for k, v in {**environment, **changes}.items() if v}
        command = [sys.executable, "-m", "operations", *(arguments or ("nightly-evidence",))]
        return subprocess.run(command, env=told, cwd=root, capture_output=True, text=True, check=False)

    return run


def test_three_nights_are_written_chained_and_verified_offline(
    run_job: Callable[..., subprocess.CompletedProcess[str]], night: Night, trusted: list[TrustedKey]
) -> None:
    outputs = [run_job() for _ in range(3)]
    assert [o.returncode for o in outputs] == [0, 0, 0]
    bundle = night.export()
    report = verify_bundle(bundle, trusted)
    assert report.passed
    assert (report.checked, report.documents) == ((1, 2, 3), 15)
    last = json.loads(outputs[-1].stderr.splitlines()[-1])
    assert last["message"] == "finished"
    assert last["record"] == "nightly-pack/records/0000000003.dsse.json"
    assert last["version_id"] in outputs[-1].stdout
    assert last["record"] in outputs[-1].stdout


def test_the_evidence_document_names_the_other_four_and_what_they_found(
    run_job: Callable[..., subprocess.CompletedProcess[str]], night: Night
) -> None:
    assert run_job().returncode == 0
    bundle = night.export()
    contents = {
        v.key.rsplit("/", 1)[1]: bundle.content(v) or b""
        for v in bundle.manifest.versions
        if "/documents/" in v.key
    }
    day = datetime.now(UTC).strftime("%Y%m%d")
    assert sorted(contents) == [f"{n}-{day}.json" for n in ("cost", "dora", "evidence", "policy", "slo")]
    evidence = json.loads(contents.pop(f"evidence-{day}.json"))
    assert evidence["documents"] == {n: {"sha256": sha256_hex(c)} for n, c in contents.items()}
    assert evidence["versions"]["cluster"] == available(version="v1.35.4")
    assert evidence["summary"][f"cost-{day}"] == {"not available": 3}
    assert evidence["summary"][f"slo-{day}"]["met"] == len(load_catalogue().slos)
    assert [r["name"] for r in evidence["job_results"]["objects"]] == ["nightly-1", "drill-1", "now-1"]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"DAY2_REGION": ""}, 2, "DAY2_REGION is not set: it has to be a region such as eu-central-1"),
        ({"KUBECONFIG": "/nowhere"}, 1, "kubeconfig /nowhere can't be used"),
        ({"KUBECONFIG": ""}, 1, "in-cluster configuration (KUBECONFIG is not set) can't be used"),
        ({"DAY2_EVIDENCE_BUCKET": "no-such-bucket"}, 1, "NoSuchBucket"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, 1, "EndpointConnectionError"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true"}, 1, "NoCredentialsError"),
    ],
)
def test_what_goes_wrong_is_one_line_without_traceback_and_leaves_no_record(
    run_job: Callable[..., subprocess.CompletedProcess[str]],
    night: Night,
    changes: dict[str, str],
    code: int,
    message: str,
) -> None:
    ended = run_job(**changes)
    errors = [e for line in ended.stderr.splitlines() if (e := json.loads(line))["level"] == "error"]
    assert ended.returncode == code
    assert [message in e["message"] for e in errors] == [True]
    assert "Traceback" not in ended.stderr
    assert night.records() == []


def test_an_unknown_job_is_refused(run_job: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ended = run_job("nightly-evidnce")
    assert ended.returncode == 2
    assert "nightly-evidnce" in ended.stderr
