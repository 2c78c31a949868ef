"""Promtool tests of the alerts on one of the platform's jobs, derived from its catalogue entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.jobs import Job
from components.jobs.missed_run import missed_run_rules
from components.region import OPERATIONS_NAMESPACE
from tests.rules.expectations import expect, expect_nothing
from tests.rules.promtool import Test, TestFile

# Longest age of a CronJob that never ran, and of what it did before the tests.
_CREATED = 3_600
_UNKNOWN_FOR = 30 * 60
# How finely the age of a success is looked at: in this many parts of what is allowed.
_TICKS_ALLOWED = 300


@dataclass(frozen=True, kw_only=True)
class JobCases:
    """The tests of one job; each method makes one, named after the behaviour. Times are in seconds.

    Attributes:
        name: Name of the catalogue entry, and of its CronJob.
        job: The entry.
    """

    name: str
    job: Job

    @property
    def tick(self) -> int:
        """How often the rules are evaluated and the metrics scraped: whole minutes, at most five."""
        return min(300, max(60, self._allowed // _TICKS_ALLOWED // 60 * 60))

    def file(self) -> TestFile:
        """All tests of the job."""
        rules = missed_run_rules(self.name, self.job, cron_job=self.name, namespace=OPERATIONS_NAMESPACE)
        return TestFile(
            name=f"job-{self.name}",
            groups=[{"name": f"operations-job:{self.name}", "rules": rules}],
            tick_seconds=self.tick,
            tests=[
                self.missed_run_fires_after_the_time_allowed(),
                self.success_in_time_is_silent(),
                self.late_success_ends_the_alert(),
                self.job_that_never_succeeded_counts_from_its_creation(),
                self.job_that_is_gone_is_unknown(),
                self.another_job_does_not_count(),
                self.duration_is_that_of_the_longest_run(),
            ],
        )

    def missed_run_fires_after_the_time_allowed(self) -> Test:
        succeeded = self._round(2 * 3_600)
        limit = succeeded + self._round(self._allowed)
        series = [
            self._created(limit + 2 * self.tick),
            self._last_success([(limit + 2 * self.tick, succeeded)]),
        ]
        return self._test(
            "missed run fires once the time allowed has passed",
            series,
            [self._missed_is_silent(limit), self._missed_fires(limit + self.tick)],
        )

    def success_in_time_is_silent(self) -> Test:
        again = self._round(self._allowed) - 2 * self.tick
        end = again + self._round(self._allowed)
        return self._test(
            "success in time is silent",
            [self._created(end), self._last_success([(again, 0), (end - again, again)])],
            [
                expect_nothing('ALERTS{alertname!="OperationsJobUnknown"}', end - minutes * 60)
                for minutes in (0, 10)
            ],
        )

    def late_success_ends_the_alert(self) -> Test:
        late = self._round(self._allowed) + 2 * self.tick
        end = late + 2 * self.tick
        return self._test(
            "late success ends the alert",
            [self._created(end), self._last_success([(late, 0), (end - late, late)])],
            [self._missed_fires(late), self._missed_is_silent(late + self.tick)],
        )

    def job_that_never_succeeded_counts_from_its_creation(self) -> Test:
        limit = _CREATED + self._round(self._allowed)
        return self._test(
            "job that never succeeded counts from its creation",
            [self._created(limit + 2 * self.tick)],
            [
                self._missed_is_silent(limit),
                self._missed_fires(limit + self.tick),
                expect_nothing('ALERTS{alertname="OperationsJobUnknown"}', limit),
            ],
        )

    def job_that_is_gone_is_unknown(self) -> Test:
        gone = self._round(3_600)
        # The last sample answers for five minutes, Prometheus' lookback.
        absent_since = gone + self._round(300)
        told = absent_since + self._round(_UNKNOWN_FOR)
        # absent() adds the labels of its selector.
        labels = {
            "alertname": "OperationsJobUnknown",
            "cronjob": self.name,
            "namespace": OPERATIONS_NAMESPACE,
        }
        firing = 'ALERTS{alertname="OperationsJobUnknown",alertstate="firing"}'
        return self._test(
            "job that is gone is unknown",
            [self._created(gone)],
            [
                expect_nothing(firing, told - self.tick),
                self._fires(labels, told),
                self._missed_is_silent(told),
            ],
        )

    def another_job_does_not_count(self) -> Test:
        """A success of another CronJob, or of one with its name in another namespace, is not its own."""
        limit = _CREATED + self._round(self._allowed)
        end = limit + 2 * self.tick
        metric = "kube_cronjob_status_last_successful_time"
        others = [
            self._gauge(metric, {"cronjob": f"{self.name}-2"}, [(end, end)]),
            self._gauge(metric, {"cronjob": self.name, "namespace": "elsewhere"}, [(end, end)]),
        ]
        return self._test(
            "success of another job does not count",
            [self._created(end), *others],
            [self._missed_fires(limit + self.tick)],
        )

    def duration_is_that_of_the_longest_run(self) -> Test:
        end = 600
        runs = {
            f"{self.name}-29384000": (100, 220),
            f"{self.name}-29385000": (200, 500),
            f"{self.name}-29386000": (550, None),
            # Another CronJob's run, whose name begins the same.
            f"{self.name}-2-29384000": (0, 590),
        }
        series = [self._created(end)]
        for run, (start, completion) in runs.items():
            series.append(self._gauge("kube_job_status_start_time", {"job_name": run}, [(end, start)]))
            if completion is not None:
                metric = "kube_job_status_completion_time"
                series.append(self._gauge(metric, {"job_name": run}, [(end, completion)]))
        name = "operations_job:duration_seconds:max"
        labels = {"__name__": name, "operations_job": self.name}
        return self._test("duration is that of the longest run", series, [expect(name, end, labels, 300)])

    @property
    def _allowed(self) -> int:
        return int(self.job.missed_after.total_seconds())

    def _round(self, seconds: int) -> int:
        """Up to a whole evaluation."""
        return -(-seconds // self.tick) * self.tick

    def _created(self, until: int) -> dict[str, Any]:
        return self._gauge("kube_cronjob_created", {"cronjob": self.name}, [(until, _CREATED)])

    def _last_success(self, times: Sequence[tuple[int, int]]) -> dict[str, Any]:
        return self._gauge("kube_cronjob_status_last_successful_time", {"cronjob": self.name}, times)

    def _gauge(
        self, metric: str, labels: dict[str, str], values: Sequence[tuple[int, int]]
    ) -> dict[str, Any]:
        """A metric that has each value for some seconds, from time 0 on."""
        labels = {"namespace": OPERATIONS_NAMESPACE, "instance": "kube-state-metrics", **labels}
        inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
        first = values[0][1]
        parts = [f"{value}x{seconds // self.tick - 1}" for seconds, value in values]
        return {"series": f"{metric}{{{inside}}}", "values": f"{first} {' '.join(parts)}"}

    def _fires(self, labels: dict[str, str], at: int) -> dict[str, Any]:
        shared = {
            "__name__": "ALERTS",
            "alertstate": "firing",
            "severity": self.job.severity,
            "team": self.job.team,
            "operations_job": self.name,
        }
        expression = f'ALERTS{{alertname="{labels["alertname"]}",alertstate="firing"}}'
        return expect(expression, at, {**shared, **labels}, 1)

    def _missed_fires(self, at: int) -> dict[str, Any]:
        return self._fires({"alertname": "OperationsJobMissed"}, at)

    def _missed_is_silent(self, at: int) -> dict[str, Any]:
        return expect_nothing('ALERTS{alertname="OperationsJobMissed"}', at)

    def _test(self, name: str, series: list[dict[str, Any]], checks: list[dict[str, Any]]) -> Test:
        return {
            "name": f"{self.name}: {name}",
            "interval": f"{self.tick}s",
            "input_series": series,
            "promql_expr_test": checks,
        }
