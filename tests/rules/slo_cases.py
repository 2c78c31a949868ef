"""Promtool tests of one SLO's rules, derived from the SLO and its burn-rate policy.

Times are seconds from the start of a test. What is about a window up to an hour is evaluated each minute on
samples of 15 s. What is about longer ones is evaluated 36 to 72 times in the window: their recordings average
what stands at each evaluation, so that evaluating them each minute, as Prometheus does, would make a test up
to a thousand times as expensive without changing its result. The guard against low traffic counts in steps of
5 minutes and is evaluated that often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.base import prometheus_duration
from catalog.burn_rate import BurnRatePolicy, BurnRateWindow
from catalog.openslo import Service, Slo
from components.monitoring.burn_rate import error_ratio
from tests.rules.events import Phase, input_series
from tests.rules.expectations import expect, expect_nothing
from tests.rules.promtool import Group, Test

_MINUTE = 60
_HOUR = 3_600
_SETTLED = 20 * _MINUTE
_NO_DATA_FOR = 15 * _MINUTE
_FLOOR_FOR = 15 * _MINUTE
_RECORDINGS_OF_EVENTS = '{__name__=~"slo:.+",__name__!="slo:error_budget:ratio"}'

FAST_TICK = _MINUTE
# As long as the rates' range, so that no rate spans two phases.
NUMBERS_TICK = 5 * _MINUTE
_COUNTING_TICK = 5 * _MINUTE
# Longest window of each interval of evaluation.
_TICKS = {_HOUR: FAST_TICK, 6 * _HOUR: 10 * _MINUTE, 24 * _HOUR: 30 * _MINUTE}
_LONGEST_TICK = _HOUR


def tick_seconds(window: BurnRateWindow) -> int:
    """How often the rules are evaluated in tests of a window."""
    long = window.long.total_seconds()
    return next((tick for longest, tick in _TICKS.items() if long <= longest), _LONGEST_TICK)


def guard_tick_seconds(window: BurnRateWindow) -> int:
    """How often the rules are evaluated in tests of a window's guard."""
    return min(tick_seconds(window), _COUNTING_TICK)


@dataclass(frozen=True, kw_only=True)
class SloCases:
    """The tests of one SLO; each method makes one, named after the behaviour.

    Attributes:
        service: Its service.
        slo: The objective.
        policy: Its burn-rate policy.
    """

    service: Service
    slo: Slo
    policy: BurnRatePolicy

    def burn_fires_in_time_and_ends_with_the_short_window(self, window: BurnRateWindow) -> Test:
        """The error ratio is such that the long window crosses its threshold between two evaluations."""
        tick, long, short = tick_seconds(window), window.long.total_seconds(), window.short.total_seconds()
        threshold = self._threshold(window)
        # After half of the long window; later where not even an outage burns fast enough for that.
        silent_ticks = math.ceil(max(long / 2, threshold * long) / tick)
        bad = threshold * long / ((silent_ticks + 0.5) * tick)
        began = long
        stopped = began + (silent_ticks + 2) * tick
        phases = [
            Phase(seconds=long),
            Phase(seconds=stopped - began, bad=bad),
            Phase(seconds=short + tick),
        ]
        still_high = f"count({self._of(error_ratio(window.long))} > {threshold!r})"
        return self._test(
            f"burn over {_name(window)} fires in time and ends with the short window",
            input_series(self.slo, phases, _sample_seconds(tick)),
            tick,
            [
                self._burn_is_silent(window, began + silent_ticks * tick),
                self._burn_fires(window, began + (silent_ticks + 1) * tick),
                self._burn_fires(window, stopped),
                self._burn_is_silent(window, stopped + short),
                expect(still_high, stopped + short, {}, 1),
            ],
        )

    def burn_just_under_the_threshold_is_silent(self, window: BurnRateWindow) -> Test:
        tick, long = tick_seconds(window), window.long.total_seconds()
        bad = 0.99 * self._threshold(window)
        end = long + 2 * tick
        close = f"count({self._of(error_ratio(window.long))} > {0.98 * self._threshold(window)!r})"
        return self._test(
            f"burn over {_name(window)} just under the threshold is silent",
            input_series(self.slo, [Phase(seconds=end, bad=bad)], _sample_seconds(tick)),
            tick,
            [self._burn_is_silent(window, end), expect(close, end, {}, 1)],
        )

    def burn_alert_tells_its_numbers(self, window: BurnRateWindow, group: Group) -> Test:
        """Every event is bad: the template of the annotations becomes a text with 100 %."""
        tick = tick_seconds(window)
        end = max(4 * tick, 2 * _COUNTING_TICK)
        rule = next(rule for rule in group["rules"] if rule.get("alert") == "SloErrorBudgetBurn")
        texts = {
            key: text.replace("{{ $value | humanizePercentage }}", "100%")
            for key, text in rule["annotations"].items()
        }
        test = self._test(
            f"alert over {_name(window)} tells its numbers",
            input_series(self.slo, [Phase(seconds=end, bad=1)], _sample_seconds(tick)),
            tick,
            [],
        )
        alert = {"exp_labels": rule["labels"], "exp_annotations": texts}
        checks = [{"alertname": "SloErrorBudgetBurn", "eval_time": f"{end}s", "exp_alerts": [alert]}]
        return {**test, "alert_rule_test": checks}

    def outage_with_too_few_events_is_silent(self, window: BurnRateWindow) -> Test:
        name = f"outage over {_name(window)} with fewer than the minimum of events is silent"
        return self._outage(name, window, events=self.policy.minimum_events - 1, fires=False)

    def outage_with_just_enough_events_fires(self, window: BurnRateWindow) -> Test:
        name = f"outage over {_name(window)} with just the minimum of events fires"
        return self._outage(name, window, events=self.policy.minimum_events + 1, fires=True)

    def first_events_of_a_new_service_are_too_few(self) -> Test:
        """Ten minutes with a quarter of the minimum: no window may take them for more than they are."""
        end = 10 * _MINUTE
        phase = Phase(seconds=end, bad=1, per_second=self.policy.minimum_events / 4 / end)
        return self._test(
            "first events of a new service are too few for an alert",
            input_series(self.slo, [phase], 15),
            FAST_TICK,
            [
                expect_nothing('ALERTS{alertname="SloErrorBudgetBurn"}', minute * _MINUTE)
                for minute in (6, 10)
            ],
        )

    def healthy_service_is_silent(self) -> Test:
        """A neighbour that fails does not count, where the SLO is about one service."""
        end = _SETTLED
        bad = self.slo.error_budget / 2
        series = input_series(self.slo, [Phase(seconds=end, bad=bad)], 15)
        if self._is_about_one_service:
            series += input_series(self.slo, [Phase(seconds=end, bad=1)], 15, service="neighbour")
        return self._test("healthy service is silent", series, FAST_TICK, [expect_nothing("ALERTS", end)])

    def recordings_have_the_right_numbers(self) -> Test:
        """Two pods, first half the traffic of the second phase: the averages weigh events, not time."""
        half, budget = 2 * _HOUR, self.slo.error_budget
        phases = [
            Phase(seconds=half, bad=0.1 * budget, per_second=10),
            Phase(seconds=half, bad=0.4 * budget, per_second=20),
        ]
        end, whole = 2 * half, 0.3  # (10 x 0.1 + 20 x 0.4) / 30
        period = prometheus_duration(self.slo.period)
        numbers = {
            "slo:bad_events:rate5m": 20 * 0.4 * budget,
            "slo:total_events:rate5m": 20,
            "slo:sli_error:ratio_rate5m": 0.4 * budget,
            "slo:sli_error:ratio_rate1h": 0.4 * budget,
            "slo:sli_error:ratio_rate7d": whole * budget,
            f"slo:sli_error:ratio_rate{period}": whole * budget,
            "slo:error_budget:ratio": 1 - self.slo.target,
            "slo:current_burn_rate:ratio": 0.4,
            "slo:burn_rate:ratio_rate7d": whole,
            "slo:error_budget_remaining:ratio": 1 - whole,
        }
        labels = {"slo": self.slo.name, "service": self.service.name}
        return self._test(
            "recordings have the right numbers",
            input_series(self.slo, phases, _sample_seconds(NUMBERS_TICK), pods=2),
            NUMBERS_TICK,
            [
                expect(f"abs({self._of(name)} - {number!r}) < bool 1e-8", end, labels, 1)
                for name, number in numbers.items()
            ],
        )

    def missing_data_is_told_and_claims_nothing(self) -> Test:
        return self._test(
            "data that never came is told after 15 minutes and claims nothing",
            [],
            FAST_TICK,
            [
                self._no_data_is_silent(_NO_DATA_FOR - FAST_TICK),
                self._no_data_fires(_NO_DATA_FOR),
                expect_nothing(_RECORDINGS_OF_EVENTS, _NO_DATA_FOR),
                expect_nothing('ALERTS{alertname!="SloNoData"}', _NO_DATA_FOR),
            ],
        )

    def lost_data_is_told_and_burns_nothing(self) -> Test:
        lost, sample_seconds = _SETTLED, 15
        # The last rate needs two samples in its five minutes.
        last_known = lost + 5 * _MINUTE - 2 * sample_seconds
        absent_since = math.floor(last_known / FAST_TICK + 1) * FAST_TICK
        phases = [
            Phase(seconds=lost, bad=self.slo.error_budget / 2),
            Phase(seconds=_HOUR, per_second=None),
        ]
        told = absent_since + _NO_DATA_FOR
        return self._test(
            "data that is lost is told after 15 minutes and burns nothing",
            input_series(self.slo, phases, sample_seconds),
            FAST_TICK,
            [
                self._no_data_is_silent(told - FAST_TICK),
                self._no_data_fires(told),
                expect_nothing('ALERTS{alertname!="SloNoData"}', told),
                expect_nothing(self._of("slo:current_burn_rate:ratio"), lost + _HOUR),
            ],
        )

    def service_without_error_series_has_its_whole_budget(self) -> Test:
        """Only bad events can have no series: without good ones, everything is bad."""
        if self.slo.ratio.bad is None:
            return self._service_without_good_series_is_all_bad()
        end = _SETTLED
        labels = {"slo": self.slo.name, "service": self.service.name}
        return self._test(
            "service without a series of errors has its whole budget",
            input_series(self.slo, [Phase(seconds=end)], 15, missing="bad"),
            FAST_TICK,
            [
                _expect_named(self._of("slo:bad_events:rate5m"), end, labels, 0),
                _expect_named(self._of("slo:sli_error:ratio_rate1h"), end, labels, 0),
                _expect_named(self._of("slo:error_budget_remaining:ratio"), end, labels, 1),
                expect_nothing("ALERTS", end),
            ],
        )

    def _service_without_good_series_is_all_bad(self) -> Test:
        end = _SETTLED
        labels = {"slo": self.slo.name, "service": self.service.name}
        return self._test(
            "service without a series of successes is all bad",
            input_series(self.slo, [Phase(seconds=end, bad=1)], 15, missing="good"),
            FAST_TICK,
            [
                _expect_named(self._of("slo:sli_error:ratio_rate1h"), end, labels, 1),
                self._burn_fires(self.policy.windows[-1], end),
            ],
        )

    def idle_service_is_silent_and_claims_nothing(self) -> Test:
        end = _SETTLED
        ratios = '{__name__=~"slo:(sli_error|current_burn|burn_rate|error_budget_remaining).*"}'
        return self._test(
            "idle service is silent and claims no ratio",
            input_series(self.slo, [Phase(seconds=end, per_second=0)], 15),
            FAST_TICK,
            [expect_nothing("ALERTS", end), expect_nothing(ratios, end)],
        )

    def restart_is_silent(self) -> Test:
        before, end = _SETTLED, _SETTLED + 10 * _MINUTE
        phases = [Phase(seconds=before), Phase(seconds=end - before, restarts=True)]
        silent = [expect_nothing("ALERTS", before + minute * _MINUTE) for minute in (1, 2, 5, 10)]
        return self._test(
            "restart, which sets counters to 0, is silent",
            input_series(self.slo, phases, 15),
            FAST_TICK,
            [*silent, expect(f"{self._of('slo:sli_error:ratio_rate1h')} < bool 1e-9", end, self._labels, 1)],
        )

    def budget_below_its_floor_is_told(self, floor: float) -> Test:
        labels = {"alertname": "SloErrorBudgetLow", "severity": "warning"}
        # Rates stand from the second evaluation on.
        told = FAST_TICK + _FLOOR_FOR
        return self._test(
            "budget below its floor is told after 15 minutes",
            input_series(self.slo, [self._spending(1 - floor + 0.01, told)], 15),
            FAST_TICK,
            [
                expect_nothing('ALERTS{alertname="SloErrorBudgetLow",alertstate="firing"}', told - FAST_TICK),
                self._alert(labels, told),
            ],
        )

    def budget_above_its_floor_is_silent(self, floor: float) -> Test:
        end = _SETTLED
        return self._test(
            "budget just above its floor is silent",
            input_series(self.slo, [self._spending(1 - floor - 0.01, end)], 15),
            FAST_TICK,
            [expect_nothing('ALERTS{alertname="SloErrorBudgetLow"}', end)],
        )

    def _spending(self, share: float, seconds: float) -> Phase:
        return Phase(seconds=seconds, bad=share * self.slo.error_budget)

    def _outage(self, name: str, window: BurnRateWindow, *, events: int, fires: bool) -> Test:
        tick, long = guard_tick_seconds(window), window.long.total_seconds()
        end = long + tick
        phase = Phase(seconds=end, bad=1, per_second=events / long)
        check = self._burn_fires(window, end) if fires else self._burn_is_silent(window, end)
        return self._test(name, input_series(self.slo, [phase], _sample_seconds(tick)), tick, [check])

    @property
    def _labels(self) -> dict[str, str]:
        return {"slo": self.slo.name, "service": self.service.name}

    @property
    def _is_about_one_service(self) -> bool:
        return "service=" in self.slo.ratio.total.metric_source.spec.query

    def _threshold(self, window: BurnRateWindow) -> float:
        """Error ratio at which the window's share of the budget burns in it."""
        return window.budget_consumed * (self.slo.period / window.long) * (1 - self.slo.target)

    def _of(self, recording: str) -> str:
        return f'{recording}{{slo="{self.slo.name}"}}'

    def _alert(self, labels: dict[str, str], at: float) -> dict[str, Any]:
        """An alert that fires, with just these labels beside those that all have."""
        shared = {"__name__": "ALERTS", "alertstate": "firing", "team": self.service.team, **self._labels}
        name = labels["alertname"]
        selected = {key: value for key, value in labels.items() if key.endswith("_window")}
        matchers = "".join(f',{key}="{value}"' for key, value in selected.items())
        expression = f'ALERTS{{alertname="{name}",alertstate="firing"{matchers}}}'
        return expect(expression, at, {**shared, **labels}, 1)

    def _burn_fires(self, window: BurnRateWindow, at: float) -> dict[str, Any]:
        labels = {
            "alertname": "SloErrorBudgetBurn",
            "severity": window.severity,
            "long_window": prometheus_duration(window.long),
            "short_window": prometheus_duration(window.short),
        }
        return self._alert(labels, at)

    def _burn_is_silent(self, window: BurnRateWindow, at: float) -> dict[str, Any]:
        long = prometheus_duration(window.long)
        return expect_nothing(f'ALERTS{{alertname="SloErrorBudgetBurn",long_window="{long}"}}', at)

    def _no_data_fires(self, at: float) -> dict[str, Any]:
        return self._alert({"alertname": "SloNoData", "severity": "warning"}, at)

    def _no_data_is_silent(self, at: float) -> dict[str, Any]:
        return expect_nothing('ALERTS{alertname="SloNoData",alertstate="firing"}', at)

    def _test(
        self, name: str, series: list[dict[str, Any]], tick: int, expressions: Sequence[dict[str, Any]]
    ) -> Test:
        return {
            "name": f"{self.slo.name}: {name}",
            "interval": f"{_sample_seconds(tick)}s",
            "input_series": series,
            "promql_expr_test": list(expressions),
        }


def _sample_seconds(tick: int) -> int:
    return 15 if tick == FAST_TICK else 60


def _name(window: BurnRateWindow) -> str:
    return f"{prometheus_duration(window.long)}/{prometheus_duration(window.short)}"


def _expect_named(selector: str, at: float, labels: dict[str, str], value: float) -> dict[str, Any]:
    return expect(selector, at, {"__name__": selector.partition("{")[0], **labels}, value)
