"""The program that the engine runs: settings and catalogue in, one Region per region out."""

from __future__ import annotations

import pulumi

from catalog.load import load_catalogue
from catalog.problems import InputError
from components.config import job_secrets, stack_settings
from components.platform import register_platform

try:
    catalogue = load_catalogue()
    settings = stack_settings(catalogue.residency)
    secrets = job_secrets(catalogue.jobs)
except InputError as error:
    raise pulumi.RunError(str(error)) from None

register_platform(settings, catalogue, secrets)
