"""What the unit tests share: breaking a copy of the catalogue, and small catalogue entries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.jobs import Job
from catalog.load import load_catalogue
from catalog.problems import InputError, Problem

JOBS = "jobs.yaml"
POLICIES = "burn_rate_policies.yaml"
REPORTING = "services/reporting.yaml"
RESIDENCY = "residency.yaml"
TENANT = "tenants/nordlys.yaml"


@dataclass(frozen=True)
class CatalogueCopy:
    """A catalogue in a folder of its own."""

    folder: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Replaces the first occurrence of a text, which must be there."""
        text = self.read(file)
        assert old in text, f"{old!r} is not in {file}"
        self.write(file, text.replace(old, new, 1))

    def read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def problems(self) -> list[Problem]:
        """What loading it complains about; loading must fail."""
        with pytest.raises(InputError) as caught:
            load_catalogue(self.folder)
        return list(caught.value.problems)

    def problem(self) -> Problem:
        """The only thing that loading it complains about, told in one line that names a fix."""
        problems = self.problems()
        assert len(problems) == 1, "\n".join(map(str, problems))
        assert problems[0].fix
        assert "\n" not in str(problems[0])
        return problems[0]


def job(**changes: Any) -> Job:
    """A job that may do nothing, with changes."""
    plain = {
        "description": "Does nothing.",
        "schedule": "0 2 * * *",
        "timeout": "20m",
        "missed_after": "26h",
        "team": "platform",
        "runbook": "docs/runbooks/nothing.md",
    }
    return Job.model_validate({**plain, **changes})


METADATA = {"name": "nothing", "namespace": "day2-system", "labels": {"day2.dev/owner": "platform-team"}}
