"""Command line of evidence: export it, verify it offline."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.clients import aws_clients
from operations.errors import OperationsError
from operations.evidence import envelope as dsse
from operations.evidence.bundle import BundleError, read_bundle
from operations.evidence.export import export_bundle
from operations.evidence.steps import TrustedKey
from operations.evidence.verify import Outcome, Report, Requirements, StepResult, verify_bundle

EXIT_NOT_VERIFIED = 1
EXIT_BAD_INPUT = 2

_FINDINGS_SHOWN = 20
_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.NOT_REACHED: "yellow"}
_T = TypeVar("_T")

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)


@app.command()
def verify(
    *,
    bundle: Annotated[Path, typer.Option(help="Folder that `export` wrote.")],
    public_key: Annotated[
        list[str],
        typer.Option(
            help="PEM file of a trusted key, from a source other than the bundle. Where a key was in use for "
            "a time: FILE,from=2026-01-01T00:00:00Z,until=2027-01-01T00:00:00Z. Can be given several times."
        ),
    ],
    newest: Annotated[int | None, typer.Option(min=1, help="Check only the newest N records.")] = None,
    retention_days: Annotated[
        int, typer.Option(min=1, help="Days, from signing, that records have to be kept.")
    ] = 1,
    expected_sequence: Annotated[
        int, typer.Option(min=1, help="Sequence that the chain has to reach at least.")
    ] = 1,
) -> None:
    """Verify a bundle offline. Exit code 0: verified; 1: not; 2: wrong input."""

    def run() -> Report:
        trusted = [_trusted_key(text) for text in public_key]
        requirements = Requirements(
            newest=newest, retention_days=retention_days, expected_sequence=expected_sequence
        )
        return verify_bundle(read_bundle(bundle), trusted, requirements)

    report = _or_exit(run)
    _print_report(report)
    if not report.passed:
        raise typer.Exit(EXIT_NOT_VERIFIED)


@app.command()
def export(
    *,
    bucket: Annotated[str, typer.Option(help="Evidence bucket, or a replica of one.")],
    kind: Annotated[str, typer.Option(help="Kind of evidence, such as nightly-pack.")],
    out: Annotated[Path, typer.Option(help="New or empty folder.")],
    newest: Annotated[int | None, typer.Option(min=1, help="Export only the newest N records.")] = None,
    signing_key: Annotated[
        str | None, typer.Option(help="ARN of the signing key; by default the one that the records name.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="AWS region; by default AWS_REGION.")] = None,
) -> None:
    """Export evidence from its bucket to a folder. Exit code 2: it can't be had."""
    manifest = _or_exit(
        lambda: export_bundle(
            bucket=bucket,
            kind=kind,
            folder=out,
            aws=aws_clients(region),
            newest=newest,
            signing_key_arn=signing_key or os.environ.get("DAY2_SIGNING_KEY_ARN"),
        )
    )
    _out.print(
        f"{len(manifest.versions)} object versions and {len(manifest.delete_markers)} delete markers of "
        f"{escape(kind)} are in {escape(str(out))}"
    )


def _or_exit(run: Callable[[], _T]) -> _T:
    try:
        return run()
    except (OperationsError, ValueError) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    _err.print(f"[red]error:[/red] {escape(message)}")
    raise typer.Exit(EXIT_BAD_INPUT)


def _trusted_key(text: str) -> TrustedKey:
    """A key by `FILE[,from=TIME][,until=TIME]`."""
    name, *parts = text.split(",")
    window: dict[str, datetime] = {}
    for part in parts:
        side, _, moment = part.partition("=")
        if side not in ("from", "until"):
            raise BundleError(f"--public-key {text}: {part!r} is neither from=TIME nor until=TIME")
        window[side] = _moment(text, moment)
    try:
        key = dsse.public_key_from_pem(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BundleError(f"public key {name} can't be read: {reason}") from error
    except dsse.PublicKeyError as error:
        raise BundleError(f"public key {name} {error}") from error
    return TrustedKey(key=key, valid_from=window.get("from"), valid_until=window.get("until"))


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BundleError(
            f"--public-key {option}: {text!r} is no time with a zone, as 2026-01-01T00:00:00Z is"
        )
    return moment


def _print_report(report: Report) -> None:
    table = Table("", "step", "result", "findings")
    for number, result in enumerate(report.results, start=1):
        colour = _COLOURS[result.outcome]
        table.add_row(
            str(number),
            result.step.title,
            f"[{colour}]{result.outcome.value}[/{colour}]",
            _findings(result),
        )
    _out.print(table)
    for note in report.notes:
        _out.print(f"note: {escape(note)}")
    failed = report.first_failed
    if report.passed:
        first, last = report.checked[0], report.checked[-1]
        _out.print(
            f"[green]verified[/green]: {len(report.checked)} records (sequence {first} to {last}), "
            f"{report.documents} documents"
        )
    elif failed is not None:
        number = report.results.index(failed) + 1
        _out.print(
            f"[red]not verified[/red]: step {number}, {failed.step.title}, failed: "
            f"{escape(failed.findings[0].record)} {escape(failed.findings[0].reason)}"
        )
    else:
        _out.print("[red]not verified[/red]: not every step was reached")


def _findings(result: StepResult) -> str:
    if not result.findings:
        return result.step.question if result.outcome is Outcome.PASSED else ""
    lines = [f"{escape(f.record)}: {escape(f.reason)}" for f in result.findings[:_FINDINGS_SHOWN]]
    hidden = len(result.findings) - len(lines)
    return "\n".join([*lines, *([f"and {hidden} more"] if hidden else [])])
