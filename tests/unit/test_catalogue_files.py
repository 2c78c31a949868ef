"""The shipped catalogue."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from catalog.load import CATALOGUE_FOLDER, Catalogue, load_catalogue
from catalog.problems import InputError
from components.config import parse_settings
from local.recording import ROOT, stack_inputs
from tests.unit.support import TENANT, CatalogueCopy

STACKS = ("local", "staging", "prod")


def test_every_shipped_file_is_loaded(catalogue: Catalogue) -> None:
    assert set(catalogue.services) == {path.stem for path in (CATALOGUE_FOLDER / "services").glob("*.yaml")}
    assert set(catalogue.tenants) == {path.stem for path in (CATALOGUE_FOLDER / "tenants").glob("*.yaml")}
    assert set(catalogue.jobs) == set(yaml.safe_load((CATALOGUE_FOLDER / "jobs.yaml").read_text()))


def test_every_service_has_an_objective_that_says_what_it_promises(catalogue: Catalogue) -> None:
    assert {service.name for service in catalogue.services.values() if not service.slos} == set()
    assert [slo.name for slo in catalogue.slos if not slo.spec.description] == []


def test_what_is_loaded_cannot_be_changed(catalogue: Catalogue) -> None:
    with pytest.raises(AttributeError, match="services"):
        catalogue.services = {}  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        catalogue.jobs["nightly-evidence"].schedule = "never"  # type: ignore[misc]


def test_an_entry_holds_on_its_last_day_and_not_on_the_next(copy: CatalogueCopy) -> None:
    copy.replace(TENANT, "spec:", "spec:\n  expires: 2026-03-31")
    loaded = load_catalogue(copy.folder, today=date(2026, 3, 31))
    assert loaded.tenants["nordlys"].spec.expires == date(2026, 3, 31)
    with pytest.raises(InputError, match="has expired"):
        load_catalogue(copy.folder, today=date(2026, 4, 1))


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_file_fits_the_settings(stack: str) -> None:
    settings, _ = stack_inputs(stack)
    assert settings.environment == stack


def test_the_stack_files_have_the_same_keys() -> None:
    contents = [yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()) for stack in STACKS]
    platforms = [content["config"].pop("day2:platform") for content in contents]
    assert [content["config"] for content in contents] == [{}, {}, {}]
    assert len({frozenset(platform) for platform in platforms}) == 1
    assert len({frozenset(platform["regions"]) for platform in platforms}) == 1
    keys_of_regions = [set(region) - {"prometheus"} for p in platforms for region in p["regions"].values()]
    assert all(keys == keys_of_regions[0] for keys in keys_of_regions)


def test_the_stacks_are_in_accounts_of_their_own() -> None:
    accounts = {stack_inputs(stack)[0].aws.account_id for stack in STACKS}
    assert len(accounts) == len(STACKS)


def test_a_stack_file_is_all_that_another_environment_needs(catalogue: Catalogue) -> None:
    raw = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]["day2:platform"]
    settings = parse_settings(
        {**raw, "environment": "rehearsal"}, file="Pulumi.rehearsal.yaml", residency=catalogue.residency
    )
    assert settings.environment == "rehearsal"
