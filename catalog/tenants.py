"""Tenants: who shares the platform, what they may process and where."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from catalog.base import CatalogueModel, Expiring, Name

DataKind = Literal["public", "internal", "personal", "health", "financial"]


def _is_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not an IANA time zone: write one such as Europe/Oslo") from error
    return name


class TenantMetadata(CatalogueModel):
    """Name of a tenant."""

    name: Name
    display_name: str = Field(alias="displayName")


class TenantSpec(Expiring):
    """What a tenant is allowed.

    Attributes:
        owner: Mail address of who answers for the tenant.
        jurisdiction: Residency rules that its data is under, a name of `catalog/residency.yaml`.
        regions: AWS regions that may hold its data, all of that jurisdiction.
        data_kinds: Kinds of data that it processes.
        purposes: Purposes that data may be used for.
        time_zone: IANA name; working hours are meant in it.
        budget_usd_per_month: What it may cost.
    """

    owner: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    jurisdiction: Name
    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    data_kinds: Annotated[tuple[DataKind, ...], Field(min_length=1)]
    purposes: Annotated[tuple[Name, ...], Field(min_length=1)]
    time_zone: Annotated[str, AfterValidator(_is_time_zone)]
    budget_usd_per_month: Annotated[float, Field(gt=0)]


class Tenant(CatalogueModel):
    """One file of `catalog/tenants`."""

    api_version: Literal["day2/v1"] = Field(alias="apiVersion")
    kind: Literal["Tenant"]
    metadata: TenantMetadata
    spec: TenantSpec

    @property
    def name(self) -> str:
        """Name of the tenant."""
        return self.metadata.name
