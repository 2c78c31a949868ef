"""`make render`: what it writes, where, and what it refuses to overwrite."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest
import yaml

from catalog.load import Catalogue
from catalog.problems import InputError
from local.recording import Recording, record_platform, stack_inputs
from local.render import render
from tests.golden.support import REGION, golden_recording


@pytest.fixture(scope="module")
def recording() -> Recording:
    return golden_recording()


@pytest.fixture(scope="module")
def out(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("render") / "rendered"
    render(recording, folder)
    return folder


@pytest.fixture
def with_secret() -> tuple[Catalogue, str]:
    """A catalogue with a job that has a secret, and the secret's name."""
    _, catalogue = stack_inputs("staging")
    job = catalogue.jobs["nightly-evidence"].model_copy(update={"secrets": ("pager-key",)})
    return Catalogue(**{**vars(catalogue), "jobs": {"notify": job}}), "pager-key"


def test_every_kubernetes_file_is_an_object_in_the_folder_of_its_namespace(out: Path) -> None:
    files = sorted(out.rglob("*.yaml"))
    assert len(files) > 10
    for file in files:
        manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
        metadata = manifest["metadata"]
        assert manifest["apiVersion"]
        name = f"{manifest['kind']}-{metadata['name']}".replace(":", "_")
        folder = metadata.get("namespace", "_cluster")
        assert file.relative_to(out) == Path(REGION, folder, f"{name}.yaml")


def test_every_kubernetes_object_that_is_registered_is_rendered(recording: Recording, out: Path) -> None:
    registered = [
        found
        for found in recording.registrations
        if found.type.startswith("kubernetes:") and "metadata" in found.inputs
    ]
    assert len(list(out.rglob("*.yaml"))) == len(registered)


def test_every_other_resource_is_rendered_as_json_by_package(recording: Recording, out: Path) -> None:
    files = sorted(out.rglob("*.json"))
    for file in files:
        assert isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
        assert file.relative_to(out).parts[:2] in {(REGION, p) for p in ("aws", "kubernetes", "random")}
    registered = [
        found
        for found in recording.registrations
        if found.custom and not found.type.startswith("pulumi:") and "metadata" not in found.inputs
    ]
    assert len(files) == len(registered)


def test_whole_numbers_stay_whole_for_kubernetes(out: Path) -> None:
    cron_job = (out / REGION / "day2-system" / "CronJob-nightly-evidence.yaml").read_text(encoding="utf-8")
    assert "activeDeadlineSeconds: 1200\n" in cron_job
    assert ".0\n" not in cron_job


def test_rendering_twice_gives_the_same_bytes(out: Path, tmp_path: Path) -> None:
    render(golden_recording(), tmp_path / "again")
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    again = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert again == files
    assert [f for f in files if (out / f).read_bytes() != (tmp_path / "again" / f).read_bytes()] == []


def test_a_rendering_replaces_an_earlier_one(recording: Recording, tmp_path: Path) -> None:
    render(recording, tmp_path / "out")
    stale = tmp_path / "out" / REGION / "day2-system" / "CronJob-gone.yaml"
    stale.write_text("kind: CronJob")
    render(recording, tmp_path / "out")
    assert not stale.exists()


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(
    recording: Recording, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"is not empty and was not written by render: choose a new folder"):
        render(recording, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(recording: Recording, tmp_path: Path) -> None:
    assert render(recording, tmp_path)


def test_a_place_that_cannot_be_written_is_told(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"can't be written \(Not a directory\): choose another folder"):
        render(recording, tmp_path / "file" / "out")


def test_an_unknown_stack_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        stack_inputs("stagng")
    assert str(caught.value) == "Pulumi.stagng.yaml: no such stack file: did you mean 'staging'?"


def test_a_secret_is_rendered_as_its_name(with_secret: tuple[Catalogue, str], tmp_path: Path) -> None:
    catalogue, secret = with_secret
    settings, _ = stack_inputs("staging")
    render(record_platform(settings, catalogue, stack="staging"), tmp_path)
    manifest = yaml.safe_load((tmp_path / REGION / "day2-system" / "Secret-notify.yaml").read_text())
    assert manifest["stringData"] == {"PAGER_KEY": f"${{secret.{secret}}}"}


def test_no_value_of_a_secret_is_rendered(
    with_secret: tuple[Catalogue, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, secret = with_secret
    settings, _ = stack_inputs("staging")
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"day2:{secret}": "correct horse"}))
    monkeypatch.setenv("PAGER_KEY", "correct horse")
    pulumi.runtime.set_all_config({f"day2:{secret}": "correct horse"})
    try:
        files = render(record_platform(settings, catalogue, stack="staging"), tmp_path)
    finally:
        pulumi.runtime.set_all_config({})
    texts = [(tmp_path / file).read_text(encoding="utf-8") for file in files]
    assert any("PAGER_KEY" in text for text in texts)
    assert [text for text in texts if "correct horse" in text] == []
