"""The whole platform: one Region for each region of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components.region import Region, RegionArgs, region_providers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.load import Catalogue
    from components.config import Settings


def register_platform(
    settings: Settings, catalogue: Catalogue, secrets: Mapping[str, pulumi.Output[str]]
) -> dict[str, Region]:
    """Registers every region and exports what operators of the platform ask for.

    Args:
        settings: The stack's settings.
        catalogue: What is operated.
        secrets: Secret outputs by the names that jobs use.

    Returns:
        The regions by name.
    """
    regions = {}
    for name in settings.regions:
        providers = region_providers(name, settings)
        regions[name] = Region(
            name,
            RegionArgs(
                region=name,
                settings=settings,
                catalogue=catalogue,
                oidc_issuer=providers.oidc_issuer,
                secrets=secrets,
            ),
            pulumi.ResourceOptions(providers=[providers.aws, providers.kubernetes]),
        )
    pulumi.export(
        "regions",
        {
            name: {
                "evidence_bucket": region.evidence_bucket,
                "evidence_replica_bucket": region.evidence_replica_bucket,
                "signing_key_arn": region.signing_key_arn,
                "namespace": region.namespace,
            }
            for name, region in regions.items()
        },
    )
    return regions
