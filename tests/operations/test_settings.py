"""The environment of a job: what is missing or malformed is told in one line each."""

from __future__ import annotations

import pytest

from operations.settings import SettingsError, load_settings
from tests.operations.support import job_environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in job_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAY2_PROMETHEUS_URL", raising=False)
    return monkeypatch


def test_a_whole_environment_becomes_settings(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAY2_PROMETHEUS_URL", "http://prometheus.monitoring:9090")
    settings = load_settings()
    assert settings.region == "eu-central-1"
    assert settings.evidence.retention_days == 90
    assert settings.evidence.lock_mode == "GOVERNANCE"
    assert str(settings.prometheus_url) == "http://prometheus.monitoring:9090/"


@pytest.mark.parametrize("empty", [True, False])
def test_prometheus_may_be_unset_or_empty(environment: pytest.MonkeyPatch, empty: bool) -> None:  # noqa: FBT001 parametrized
    if empty:
        environment.setenv("DAY2_PROMETHEUS_URL", "")
    assert load_settings().prometheus_url is None


@pytest.mark.parametrize("name", sorted(job_environment()))
def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith(f"{name} is not set: it has to be ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DAY2_EVIDENCE_RETENTION_DAYS", "ninety", "a whole number of days from 1 to 36500"),
        ("DAY2_EVIDENCE_RETENTION_DAYS", "0", "a whole number of days from 1 to 36500"),
        ("DAY2_EVIDENCE_LOCK_MODE", "governance", "GOVERNANCE or COMPLIANCE"),
        ("DAY2_SIGNING_KEY_ARN", "alias/key", "the ARN of a KMS key"),
        ("DAY2_REGION", "Frankfurt", "a region such as eu-central-1"),
        ("DAY2_EVIDENCE_BUCKET", "s3://evidence", "the name of an S3 bucket"),
        (
            "DAY2_PROMETHEUS_URL",
            "prometheus:9090",
            "an address such as http://prometheus.monitoring:9090, or unset",
        ),
    ],
)
def test_a_malformed_variable_is_told_with_what_it_has_to_be(
    environment: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value) == f"{name} is {value!r}: it has to be {expected}"


def test_everything_that_is_wrong_is_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DAY2_REGION")
    environment.setenv("DAY2_EVIDENCE_LOCK_MODE", "NONE")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert len(str(error.value).splitlines()) == 2
