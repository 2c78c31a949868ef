"""Physical names."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.naming import (
    CRON_JOB_NAME_CHARACTERS,
    IAM_ROLE_NAME_CHARACTERS,
    KUBERNETES_NAME_CHARACTERS,
    S3_BUCKET_NAME_CHARACTERS,
    safe_name,
)

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?", fullmatch=True)
PARTS = st.lists(LABELS, min_size=1, max_size=5)
LIMITS = st.sampled_from(
    sorted(
        {
            CRON_JOB_NAME_CHARACTERS,
            IAM_ROLE_NAME_CHARACTERS,
            KUBERNETES_NAME_CHARACTERS,
            S3_BUCKET_NAME_CHARACTERS,
        }
    )
) | st.integers(min_value=10, max_value=80)


@given(PARTS, LIMITS)
def test_a_name_keeps_the_limit_and_is_a_dns_label(parts: list[str], limit: int) -> None:
    name = safe_name(*parts, limit=limit)
    assert len(name) <= limit
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)


@given(PARTS, LIMITS)
def test_the_same_parts_make_the_same_name(parts: list[str], limit: int) -> None:
    assert safe_name(*parts, limit=limit) == safe_name(*parts, limit=limit)


@given(PARTS, PARTS, LIMITS)
def test_distinct_inputs_make_distinct_names(one: list[str], other: list[str], limit: int) -> None:
    assume("-".join(one) != "-".join(other))
    assert safe_name(*one, limit=limit) != safe_name(*other, limit=limit)


@given(PARTS, LABELS)
def test_names_that_differ_past_the_limit_differ(parts: list[str], tail: str) -> None:
    head = [*parts, "x" * 70]
    assert safe_name(*head, tail) != safe_name(*head, tail + "0")


@given(PARTS)
def test_a_name_that_fits_stays_readable(parts: list[str]) -> None:
    whole = "-".join(parts)
    assert safe_name(*parts, limit=len(whole) + 10) == whole


def test_a_cut_does_not_leave_two_dashes() -> None:
    assert re.fullmatch(r"day2-abc-[0-9a-f]{8}", safe_name("day2", "abc", "d" * 60, limit=18))


def test_a_known_name_never_changes() -> None:
    # Resources are replaced when their name changes: this one guards the way that hashes are made.
    name = safe_name("day2", "production-of-everything", "eu-central-1", "nightly-evidence-and-more")
    assert name == "day2-production-of-everything-eu-central-1-nightly-evi-b53b8895"


@pytest.mark.parametrize("parts", [(), ("",), ("day2", "")])
def test_an_empty_part_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="parts that are not empty"):
        safe_name(*parts)


def test_a_limit_without_room_for_the_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="a limit of 9 leaves no room"):
        safe_name("day2", limit=9)
