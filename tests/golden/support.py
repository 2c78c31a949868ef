"""What the golden files hold: one region of one stack."""

from __future__ import annotations

from pathlib import Path

from local.recording import Recording, record_platform, stack_inputs

STACK = "staging"
REGION = "eu-central-1"
GOLDEN = Path(__file__).parent / STACK


def golden_recording() -> Recording:
    """The stack with this region only: the others differ from it by names and addresses."""
    settings, catalogue = stack_inputs(STACK)
    one = settings.model_copy(update={"regions": {REGION: settings.regions[REGION]}})
    return record_platform(one, catalogue, stack=STACK)
