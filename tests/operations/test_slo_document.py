"""The SLO, DORA and cost documents: nothing missing ever reads as good."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.load import load_catalogue
from operations.jobs.nightly_evidence import sources
from operations.jobs.nightly_evidence.availability import available, count, not_available
from operations.jobs.nightly_evidence.slo import _verdict, slo_document
from operations.prometheus import NoNumberError, Prometheus
from tests.operations.support import Answer, StartServer, vector

SLO = SimpleNamespace(
    name="reporting-latency", service="reporting", target=0.95, error_budget=0.05, period=timedelta(days=30)
)
RULES = available(objects=[{"name": "r", "namespace": "n", "labels": {"day2.dev/service": "reporting"}}])


def slo_with(json_server: StartServer, answer: Answer, rules: dict[str, Any] = RULES) -> dict[str, Any]:
    def answers(_: str, query: dict[str, str]) -> Answer:
        return (200, vector("1")) if query["query"].startswith("count_over_time") else answer

    prometheus = Prometheus(json_server(answers).url)
    try:
        (slo,) = slo_document([SLO], rules, prometheus)["slos"]
    finally:
        prometheus.close()
    return dict(slo)


@pytest.mark.parametrize(("value", "status"), [("0.05", "met"), ("0", "met"), ("0.0501", "not met")])
def test_an_slo_is_met_by_its_error_ratio(json_server: StartServer, value: str, status: str) -> None:
    slo = slo_with(json_server, (200, vector(value)))
    assert slo["status"] == status
    assert slo["error_ratio"]["value"] == float(value)
    assert slo["rules"] == available(objects=["n/r"])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, vector()), "has no data"),
        ((200, vector("NaN")), '{slo="reporting-latency"} is nan'),
        ((200, vector("+Inf")), '{slo="reporting-latency"} is inf'),
        ((200, vector("0", "0")), "gives 2 series instead of one"),
        ((200, vector(None)), "unknown form"),
        ((200, vector("-1")), "outside 0 to 1"),
        (
            (200, {"status": "success", "data": {"resultType": "scalar", "result": [1, "0"]}}),
            "gives a scalar",
        ),
        ((400, {"status": "error", "error": "parse error"}), "parse error"),
        ((200, b"<html>"), "no Prometheus answer"),
        ((200, ["0"]), "no Prometheus answer"),
        ((503, b""), "no Prometheus answer"),
    ],
)
def test_an_slo_without_a_number_is_not_available_and_never_met(
    json_server: StartServer, answer: Answer, reason: str
) -> None:
    slo = slo_with(json_server, answer)
    assert slo["status"] == "not available"
    assert reason in slo["reason"]


def test_without_prometheus_no_slo_is_met() -> None:
    document = slo_document(load_catalogue().slos, not_available("no cluster"), None)
    assert len(document["slos"]) > 0
    assert {s["status"] for s in document["slos"]} == {"not available"}
    assert all("DAY2_PROMETHEUS_URL" in s["reason"] for s in document["slos"])


def test_an_unreachable_prometheus_is_asked_once() -> None:
    prometheus = Prometheus("http://127.0.0.1:1")
    document = slo_document([SLO, SLO], RULES, prometheus)
    prometheus.close()
    assert {s["status"] for s in document["slos"]} == {"not available"}
    with pytest.raises(NoNumberError, match="doesn't answer"):
        prometheus.number("up")  # a closed client would raise something else if it were asked


def test_a_service_without_rules_in_the_cluster_is_told(json_server: StartServer) -> None:
    slo = slo_with(json_server, (200, vector("0")), available(objects=[]))
    assert slo["rules"] == not_available("no PrometheusRule has the label day2.dev/service=reporting")


def test_each_number_is_asked_for_by_its_recording(json_server: StartServer) -> None:
    queries: list[str] = []

    def answer(_: str, query: dict[str, str]) -> Answer:
        queries.append(query["query"])
        return 200, vector("0")

    slo_document([SLO], RULES, Prometheus(json_server(answer).url))
    assert queries == [
        'slo:sli_error:ratio_rate30d{slo="reporting-latency"}',
        'count_over_time(slo:total_events:rate5m{slo="reporting-latency"}[30d:5m]) / 8640',
        'slo:error_budget_remaining:ratio{slo="reporting-latency"}',
        'slo:current_burn_rate:ratio{slo="reporting-latency"}',
    ]


@given(st.floats(), st.floats(0.0001, 0.5))
def test_only_a_ratio_within_the_budget_is_met(value: float, budget: float) -> None:
    verdict = _verdict(available(value=value), available(value=1.0), budget)["status"]
    assert (verdict == "met") == (0 <= value <= budget)


@pytest.mark.parametrize("covered", [available(value=0.94), not_available("it has no data")])
def test_a_good_ratio_over_a_part_of_the_period_is_not_met(covered: dict[str, Any]) -> None:
    assert _verdict(available(value=0.0), covered, 0.05)["status"] == "not available"


def test_figures_without_source_say_why() -> None:
    document = sources.figures(sources.DORA_FIGURES, {}, sources.DORA_REASON)
    assert count(document) == {"not available": 4}
    assert {s["reason"] for s in document.values()} == {sources.DORA_REASON}


def test_a_source_adds_its_figure_and_one_that_fails_says_why() -> None:
    def fails() -> dict[str, Any]:
        raise NoNumberError("up has no data")

    document = sources.figures(("a", "b", "c"), {"a": lambda: {"value": 3}, "b": fails}, "none")
    assert document == {
        "a": available(value=3),
        "b": not_available("up has no data"),
        "c": not_available("none"),
    }
