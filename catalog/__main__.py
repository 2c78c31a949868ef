"""`python -m catalog`: checks the catalogue and prints it as tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.base import prometheus_duration
from catalog.load import CATALOGUE_FOLDER, Catalogue, load_catalogue
from catalog.problems import InputError


def main(
    folder: Annotated[Path, typer.Argument(help="The catalogue's folder.")] = CATALOGUE_FOLDER,
) -> None:
    """Checks the catalogue and prints it."""
    try:
        catalogue = load_catalogue(folder)
    except InputError as error:
        print(error, file=sys.stderr)  # noqa: T201 the one message that a wrong catalogue gets
        raise typer.Exit(1) from None
    console = Console()
    for table in (_slos(catalogue), _jobs(catalogue), _tenants(catalogue)):
        console.print(table)


def _slos(catalogue: Catalogue) -> Table:
    table = Table(
        "service", "SLO", "target", "period", "burn-rate policy", "what it says", title="Services and SLOs"
    )
    for service in catalogue.services.values():
        for slo in service.slos:
            table.add_row(
                service.name,
                slo.name,
                f"{slo.target * 100:g} %",
                prometheus_duration(slo.period),
                slo.alert_policy,
                slo.spec.description,
            )
    return table


def _jobs(catalogue: Catalogue) -> Table:
    table = Table("job", "schedule (UTC)", "timeout", "missed after", "egress", "evidence", title="Jobs")
    for name, job in catalogue.jobs.items():
        table.add_row(
            name,
            job.schedule,
            prometheus_duration(job.timeout),
            prometheus_duration(job.missed_after),
            ", ".join(job.egress),
            job.evidence or "none",
        )
    return table


def _tenants(catalogue: Catalogue) -> Table:
    table = Table(
        "tenant", "jurisdiction", "regions", "data", "budget (USD/month)", "expires", title="Tenants"
    )
    for tenant in catalogue.tenants.values():
        spec = tenant.spec
        table.add_row(
            tenant.name,
            spec.jurisdiction,
            ", ".join(spec.regions),
            ", ".join(spec.data_kinds),
            f"{spec.budget_usd_per_month:,.0f}",
            str(spec.expires or "never"),
        )
    return table


if __name__ == "__main__":
    typer.run(main)
