"""Every kind of wrong input gets one problem that names file, key, value and the fix."""

# ruff: noqa: E501 one wrong input a line reads as a table

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.unit.support import JOBS, POLICIES, REPORTING, RESIDENCY, TENANT, CatalogueCopy

_RATIO = "document 2.spec.indicator.spec.ratioMetric"
_LATENCY_QUERY = "document 3.spec.indicator.spec.ratioMetric.good.metricSource.spec.query"
_TOTAL = "'http_requests_total{service=\"reporting\"}'"


@dataclass(frozen=True)
class Wrong:
    """One edit of one file, and what has to be said about it."""

    what: str
    file: str
    old: str
    new: str
    key: str
    value: str
    fix: str


# Keys, values and fixes are parts of what is told; an empty key or value means that there is none.
WRONG = (
    Wrong("unknown key", REPORTING, "displayName", "displayNam", "document 1.metadata.displayNam", "'Reporting'", "unknown key: did you mean 'displayName'?"),
    Wrong("unknown key without a near one", REPORTING, "isRolling: true", "isRolling: true, zone: eu", "document 2.spec.timeWindow.0.zone", "'eu'", "unknown key: known are duration, isRolling"),
    Wrong("unknown key of a job", JOBS, "severity: warning", "severty: warning", "nightly-evidence.severty", "'warning'", "did you mean 'severity'?"),
    Wrong("unknown key inside a list", JOBS, "target: evidence-store", "target: evidence-store\n      where: eu", "nightly-evidence.aws.0.where", "'eu'", "unknown key: known are actions, target"),
    Wrong("wrong type", REPORTING, "target: 0.998", "target: high", "document 2.spec.objectives.0.target", "'high'", "valid number"),
    Wrong("share written in percent", REPORTING, "target: 0.998", "target: 99.8", "document 2.spec.objectives.0.target", "99.8", "less than 1"),
    Wrong("missing key", REPORTING, "  description: 99.8 % of requests are answered without a server error.\n", "", "document 2.spec.description", "", "is missing: add it"),
    Wrong("not YAML", REPORTING, "spec:", "spec: [", "", "", "is not YAML in line 9"),
    Wrong("SLO name of another service", REPORTING, "name: reporting-latency", "name: platform-latency", "metadata.name", "'platform-latency'", "also an SLO of platform: rename one"),
    Wrong("SLO name twice in a file", REPORTING, "name: reporting-latency", "name: reporting-availability", "metadata.name", "'reporting-availability'", "also an SLO of reporting: rename one"),
    Wrong("unknown alert policy", REPORTING, "[multiwindow]", "[multwindow]", "reporting-availability.spec.alertPolicies", "'multwindow'", "did you mean 'multiwindow'?"),
    Wrong("threshold above 100 % of errors", REPORTING, "target: 0.998", "target: 0.9", "reporting-availability.spec.alertPolicies", "'multiwindow'", "can never alert on its critical window of 2%: at target 0.9 it would take 144% of errors"),
    Wrong("integer bucket", REPORTING, 'le=~"2|2.0"', 'le="2"', _LATENCY_QUERY, 'le="2"', 'write le=~"2|2.0"'),
    Wrong("query with rate()", REPORTING, _TOTAL, "'rate(http_requests_total[5m])'", f"{_RATIO}.total.metricSource.spec.query", "rate(http_requests_total[5m])", "without rate() and range"),
    Wrong("good and bad events", REPORTING, "        bad:\n", "        good:\n          metricSource: {type: Prometheus, spec: {query: a}}\n        bad:\n", _RATIO, "", "exactly one of good and bad"),
    Wrong("period without windows", REPORTING, "30d", "7d", "document 2.spec.timeWindow.0", "'7d'", "use 28d or 30d"),
    Wrong("no duration", REPORTING, "30d", "a month", "document 2.spec.timeWindow.0.duration", "'a month'", "write a number and a unit"),
    Wrong("unknown kind", REPORTING, "kind: SLO", "kind: SLI", "document 2.kind", "'SLI'", "did you mean 'SLO'?"),
    Wrong("service named unlike its file", REPORTING, "name: reporting\n", "name: reports\n", "document 1.metadata.name", "'reports'", "write 'reporting' or rename the file"),
    Wrong("SLO of another service", REPORTING, "service: reporting\n", "service: platform\n", "reporting-availability.spec.service", "'platform'", "write 'reporting'"),
    Wrong("service without tier", REPORTING, 'tier: "1", ', "", "document 1", "", "lacks the labels tier"),
    Wrong("budget floor that is no share", "services/platform.yaml", '"0.5"', '"50 %"', "document 2", "", "write a share such as '0.5'"),
    Wrong("tenant in another jurisdiction's region", TENANT, "[eu-central-1]", "[us-east-1]", "spec.regions", "'us-east-1'", "outside the tenant's jurisdiction eu: choose of eu-central-1"),
    Wrong("unknown jurisdiction", TENANT, "jurisdiction: eu", "jurisdiction: eur", "spec.jurisdiction", "'eur'", "did you mean 'eu'?"),
    Wrong("unknown time zone", TENANT, "Europe/Oslo", "CET+1", "spec.time_zone", "'CET+1'", "not an IANA time zone"),
    Wrong("unknown kind of data", TENANT, "[internal, personal]", "[internal, secret]", "spec.data_kinds.1", "'secret'", "'public', 'internal', 'personal'"),
    Wrong("tenant file of two documents", TENANT, "apiVersion", "---\na: 1\n---\napiVersion", "", "", "holds 2 documents: keep one"),
    Wrong("expired job", JOBS, "  schedule", "  expires: 2026-01-01\n  schedule", "nightly-evidence.expires", "2026-01-01", "has expired (today is "),
    Wrong("date in words", JOBS, "  schedule", "  expires: soon\n  schedule", "nightly-evidence.expires", "'soon'", "valid date"),
    Wrong("hour 25", JOBS, '"0 2 * * *"', '"0 25 * * *"', "nightly-evidence.schedule", "'0 25 * * *'", "not a cron expression of five fields"),
    Wrong("a day that never comes", JOBS, '"0 2 * * *"', '"0 2 30 2 *"', "nightly-evidence.schedule", "'0 2 30 2 *'", "not a cron expression of five fields"),
    Wrong("missed_after shorter than the gap", JOBS, "26h", "24h", "nightly-evidence", "", "the schedule's longest gap and the timeout make 24.3 h"),
    Wrong("AWS rights without egress", JOBS, "[aws, prometheus, kubernetes]", "[prometheus, kubernetes]", "nightly-evidence", "", "rights in aws but no egress to it: add aws to egress"),
    Wrong("Kubernetes rights without egress", JOBS, "[aws, prometheus, kubernetes]", "[aws]", "nightly-evidence", "", "rights in kubernetes but no egress to it: add kubernetes to egress"),
    Wrong("unknown target of a grant", JOBS, "target: evidence-store", "target: evidence-stor", "nightly-evidence.aws.0.target", "'evidence-stor'", "'evidence-store'"),
    Wrong("all actions of a service", JOBS, "s3:PutObject,", '"s3:*",', "nightly-evidence.aws.0.actions.0", "'s3:*'", ""),
    Wrong("writing verbs on all resources", JOBS, "verbs: [get, list], groups: [policies", "verbs: [get, delete], groups: [policies", "nightly-evidence.kubernetes.0", "", "writing verbs on all resources: name the resources"),
    Wrong("all API groups", JOBS, "[policies.kyverno.io, kyverno.io]", '["*"]', "nightly-evidence.kubernetes.0", "", "every API group: name the groups"),
    Wrong("runbook outside the project's folder", JOBS, "docs/runbooks/nightly-evidence.md", "https://wiki.example/x", "nightly-evidence.runbook", "'https://wiki.example/x'", ""),
    Wrong("short window longer than the long", POLICIES, "short: 5m", "short: 2h", "multiwindow.windows.0", "", "short window that is not shorter"),
    Wrong("share of the budget in percent", POLICIES, "budget_consumed: 0.02", "budget_consumed: 2", "multiwindow.windows.0.budget_consumed", "2", "less than 1"),
    Wrong("region under two jurisdictions", RESIDENCY, "eu-north-1", "us-east-1", "", "", "lists us-east-1 under two jurisdictions: keep one"),
    Wrong("expired tenant", TENANT, "spec:", "spec:\n  expires: 2026-01-01", "spec.expires", "2026-01-01", "has expired (today is "),
    Wrong("a date that does not exist", TENANT, "spec:", "spec:\n  expires: 2026-02-30", "", "", "is not YAML"),
    Wrong("key written twice", JOBS, "  timeout: 20m", "  timeout: 20m\n  timeout: 30m", "", "", "is not YAML in line 6: the key 'timeout' stands there twice"),
    Wrong("second document of a mapping", JOBS, "nightly-evidence:", "---\nother: {}\n---\nnightly-evidence:", "", "", "holds 2 documents: keep one"),
    Wrong("tenant named unlike its file", TENANT, "name: nordlys", "name: harbor-health", "metadata.name", "'harbor-health'", "write 'nordlys' or rename the file"),
    Wrong("six fields", JOBS, '"0 2 * * *"', '"0 2 * * * *"', "nightly-evidence.schedule", "'0 2 * * * *'", "not a cron expression of five fields"),
    Wrong("a field that Kubernetes lacks", JOBS, '"0 2 * * *"', '"0 2 L * *"', "nightly-evidence.schedule", "'0 2 L * *'", "not a cron expression of five fields"),
    Wrong("no time to run", JOBS, "timeout: 20m", "timeout: 0m", "nightly-evidence.timeout", "'0m'", "more than 0"),
    Wrong("control character", REPORTING, "Generates", "\x01", "", "", "is not YAML: "),
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what)
def test_wrong_input_is_told_with_file_key_value_and_fix(copy: CatalogueCopy, wrong: Wrong) -> None:
    copy.replace(wrong.file, wrong.old, wrong.new)
    problem = copy.problem()
    assert problem.file == f"catalog/{wrong.file}"
    assert problem.key.startswith(wrong.key)
    assert bool(problem.key) == bool(wrong.key)
    assert wrong.value in problem.value
    assert wrong.fix in problem.fix


def test_a_mistyped_required_key_is_named_beside_what_is_missing(copy: CatalogueCopy) -> None:
    copy.replace(JOBS, "timeout:", "timout:")
    assert [str(problem) for problem in copy.problems()] == [
        "catalog/jobs.yaml: nightly-evidence.timeout: is missing: add it",
        "catalog/jobs.yaml: nightly-evidence.timout is '20m': unknown key: did you mean 'timeout'?",
    ]


def test_all_files_problems_are_told_at_once(copy: CatalogueCopy) -> None:
    copy.replace(JOBS, "26h", "24h")
    copy.replace(TENANT, "Europe/Oslo", "Oslo")
    copy.replace(REPORTING, "target: 0.998", "target: high")
    assert [problem.file for problem in copy.problems()] == [
        "catalog/jobs.yaml",
        "catalog/services/reporting.yaml",
        "catalog/tenants/nordlys.yaml",
    ]


@pytest.mark.parametrize("file", [JOBS, POLICIES, RESIDENCY])
def test_a_missing_file_is_named(copy: CatalogueCopy, file: str) -> None:
    (copy.folder / file).unlink()
    assert str(copy.problem()) == (
        f"catalog/{file}: is missing: create it, or restore it from version control"
    )


def test_a_file_that_cannot_be_read_is_named(copy: CatalogueCopy) -> None:
    (copy.folder / "services" / "folder.yaml").mkdir()
    assert str(copy.problem()).startswith("catalog/services/folder.yaml: can't be read (Is a directory)")


def test_a_service_file_needs_a_service(copy: CatalogueCopy) -> None:
    copy.write(REPORTING, copy.read(REPORTING).split("---", 1)[1])
    assert str(copy.problem()) == (
        "catalog/services/reporting.yaml: holds 0 documents of kind Service: it must hold exactly one"
    )


@pytest.mark.parametrize("text", ["- a\n", "hello\n", "nightly-evidence: yes\n", "nightly-evidence:\n"])
def test_a_file_of_another_shape_is_refused(copy: CatalogueCopy, text: str) -> None:
    copy.write(JOBS, text)
    assert "input should be a valid dictionary" in copy.problem().fix


def test_a_yaml_tag_cannot_make_objects(copy: CatalogueCopy) -> None:
    copy.write(JOBS, "nightly-evidence: !!python/object/apply:os.getcwd []\n")
    assert "could not determine a constructor" in copy.problem().fix


def test_a_long_value_is_shortened(copy: CatalogueCopy) -> None:
    copy.replace(TENANT, "Europe/Oslo", "x" * 500)
    assert len(copy.problem().value) == 80


@pytest.mark.parametrize("file", [TENANT, RESIDENCY, POLICIES, JOBS])
def test_an_empty_file_is_told(copy: CatalogueCopy, file: str) -> None:
    copy.write(file, "")
    assert str(copy.problem()).startswith(f"catalog/{file}: is empty")


def test_a_service_without_slo_is_told(copy: CatalogueCopy) -> None:
    copy.write(REPORTING, copy.read(REPORTING).split("---")[0])
    assert str(copy.problem()).startswith("catalog/services/reporting.yaml: holds no document of kind SLO")
