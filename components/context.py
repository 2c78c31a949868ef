"""What every component of a region needs to name and tag what it makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a component stands.

    Attributes:
        environment: Name of the environment, such as `staging`.
        owner: Team that owns the platform.
        region: AWS region.
        account_id: AWS account, twelve digits.
    """

    environment: str
    owner: str
    region: str
    account_id: str

    def __post_init__(self) -> None:
        for field in ("environment", "owner", "region", "account_id"):
            if not getattr(self, field):
                raise ValueError(f"{field} of a Context is empty: give it a value")
