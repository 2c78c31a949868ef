"""Residency: which AWS regions are under which rules for where data may lie."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from catalog.base import CatalogueModel, Name


class Residency(CatalogueModel):
    """`catalog/residency.yaml`.

    Attributes:
        jurisdictions: AWS regions by the name of their jurisdiction; data never leaves its jurisdiction.
    """

    jurisdictions: Annotated[dict[Name, tuple[str, ...]], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_region_once(self) -> Self:
        regions = [region for names in self.jurisdictions.values() for region in names]
        twice = sorted({region for region in regions if regions.count(region) > 1})
        if twice:
            raise ValueError(f"lists {', '.join(twice)} under two jurisdictions: keep one")
        return self

    def jurisdiction_of(self, region: str) -> str | None:
        """Jurisdiction of an AWS region, None where the file does not list it."""
        return next((name for name, regions in self.jurisdictions.items() if region in regions), None)
