from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from local.crds import slim, write_crds
from tools.errors import InstallError
from tools.golang import download_module

pytestmark = pytest.mark.engine

NAMES = {
    "prometheus-operator": {
        "prometheusrules.monitoring.coreos.com",
        "servicemonitors.monitoring.coreos.com",
    },
    "kyverno": {
        "imagevalidatingpolicies.policies.kyverno.io",
        "policyexceptions.policies.kyverno.io",
        "validatingpolicies.policies.kyverno.io",
    },
    "keda": {"scaledobjects.keda.sh", "triggerauthentications.keda.sh"},
    "argo-rollouts": {"analysistemplates.argoproj.io", "rollouts.argoproj.io"},
}


def test_definitions_of_all_operators_are_written_and_a_second_time_costs_nothing(tmp_path: Path) -> None:
    written = write_crds(tmp_path)
    assert {operator: {path.stem for path in files} for operator, files in written.items()} == NAMES
    for files in written.values():
        for path in files:
            crd = json.loads(path.read_text())
            assert crd["kind"] == "CustomResourceDefinition"
            assert crd["metadata"]["name"] == path.stem
            assert "status" not in crd
    before = {path: path.stat().st_mtime_ns for files in written.values() for path in files}
    started = time.monotonic()
    assert write_crds(tmp_path) == written
    assert time.monotonic() - started < 0.2
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_deleted_file_is_written_again(tmp_path: Path) -> None:
    gone = write_crds(tmp_path)["keda"][0]
    gone.unlink()
    assert gone in write_crds(tmp_path)["keda"]
    assert gone.is_file()


def test_descriptions_are_dropped_but_fields_of_that_name_stay() -> None:
    schema = {
        "type": "object",
        "description": "text",
        "properties": {
            "description": {"type": "string", "description": "text"},
            "list": {
                "items": {"type": "string", "description": "text"},
                "default": [{"description": "kept"}],
            },
        },
    }
    crd = {
        "metadata": {"name": "x"},
        "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]},
        "status": {},
    }
    slimmed = slim(crd)
    assert slimmed["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "list": {"items": {"type": "string"}, "default": [{"description": "kept"}]},
        },
    }
    assert "status" not in slimmed
    assert "description" in schema  # the argument is left alone


def test_a_module_that_is_not_the_pinned_one_is_refused() -> None:
    with pytest.raises(InstallError, match=r"keda/v2@v2\.21\.0"):
        download_module("github.com/kedacore/keda/v2", "v2.21.0", f"h1:{'A' * 43}=")
