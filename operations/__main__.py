"""`python -m operations JOB`: runs one job by the settings in its environment.

Exit code 0: done; 1: failed, nothing is proven; 2: wrong settings or arguments. stdout has the summary,
stderr one JSON object a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import typer
from rich.console import Console
from rich.markup import escape

from operations.errors import OperationsError
from operations.evidence.statement import rfc3339
from operations.jobs.outcome import JobOutcome
from operations.jobs.registry import JOBS
from operations.logs import FIELDS, log_to_stderr
from operations.settings import JobSettings, SettingsError, load_settings

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
_log = logging.getLogger("operations")


@app.callback()
def _settings() -> None:
    log_to_stderr()


def run_job(name: str, job: Callable[[JobSettings], JobOutcome]) -> None:
    """Runs a job, prints its summary and ends with its exit code.

    Raises:
        typer.Exit: The job failed or its settings are wrong; the reason is logged.
    """
    fields = {"job": name}
    try:
        settings = load_settings()
        _log.info("started", extra={FIELDS: fields})
        outcome = job(settings)
    except SettingsError as error:
        for line in str(error).splitlines():
            _log.error(line, extra={FIELDS: fields})
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except OperationsError as error:
        _log.error(str(error), extra={FIELDS: fields})
        raise typer.Exit(EXIT_FAILED) from None
    _log.info("finished", extra={FIELDS: {**fields, "run_id": outcome.run_id, **_record_fields(outcome)}})
    _print_summary(name, outcome)


def _record_fields(outcome: JobOutcome) -> dict[str, str | int]:
    if outcome.record is None:
        return {}
    stored = outcome.record
    return {
        "bucket": stored.bucket,
        "record": stored.record.key,
        "version_id": stored.record.version_id,
        "sequence": stored.sequence,
    }


def _print_summary(name: str, outcome: JobOutcome) -> None:
    lines = {"run": outcome.run_id}
    if outcome.record is not None:
        stored = outcome.record
        lines |= {
            "record": f"s3://{stored.bucket}/{stored.record.key}",
            "version": stored.record.version_id,
            "sequence": str(stored.sequence),
            "signed by": stored.key_id,
            "locked until": rfc3339(stored.retain_until),
        }
    lines |= outcome.summary
    # One fact a line, never wrapped: people copy keys and versions out of logs.
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[green]{name}: done[/green]")
    width = max(map(len, lines))
    for label, value in lines.items():
        console.print(escape(f"  {label:<{width}}  {value}"))


def _register(name: str, job: Callable[[JobSettings], JobOutcome]) -> None:
    @app.command(name, help=f"Run {name} once.")
    def command() -> None:
        run_job(name, job)


for _name, _job in JOBS.items():
    _register(_name, _job)

if __name__ == "__main__":
    app(prog_name="python -m operations")
