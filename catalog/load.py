"""Reads the catalogue's folder, checks it as a whole and hands out one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, RootModel, ValidationError

from catalog.base import Expiring
from catalog.burn_rate import BurnRatePolicies, BurnRatePolicy
from catalog.documents import fault, read_documents
from catalog.jobs import Job, JobsFile
from catalog.openslo import Service, ServiceDocument, Slo
from catalog.problems import InputError, Problem, did_you_mean, problems_of, shown
from catalog.residency import Residency
from catalog.tenants import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOGUE_FOLDER = Path(__file__).parent

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything that is operated.

    Attributes:
        services: By name.
        tenants: By name.
        jobs: By name.
        burn_rate_policies: By the name that SLOs use in `alertPolicies`.
        residency: Jurisdictions and their AWS regions.
    """

    services: Mapping[str, Service]
    tenants: Mapping[str, Tenant]
    jobs: Mapping[str, Job]
    burn_rate_policies: Mapping[str, BurnRatePolicy]
    residency: Residency

    @property
    def slos(self) -> tuple[Slo, ...]:
        """All SLOs of all services."""
        return tuple(slo for service in self.services.values() for slo in service.slos)


def load_catalogue(folder: Path = CATALOGUE_FOLDER, *, today: date | None = None) -> Catalogue:
    """Reads and checks the whole catalogue.

    Args:
        folder: The folder that holds `services/`, `tenants/`, `jobs.yaml` and the rest.
        today: Day that entries may not have expired on; None for the current day in UTC.

    Raises:
        InputError: A file is missing, is no YAML, does not fit its model, an entry has expired, or two
            files contradict each other. The message lists every such place.
    """
    reader = _Reader(folder, today or datetime.now(UTC).date())
    residency = reader.model(Path("residency.yaml"), Residency)
    policies = reader.mapping(Path("burn_rate_policies.yaml"), BurnRatePolicies, BurnRatePolicy)
    jobs = reader.mapping(Path("jobs.yaml"), JobsFile, Job)
    services = {s.name: s for path in reader.files("services") if (s := reader.service(path))}
    tenants = {t.name: t for path in reader.files("tenants") if (t := reader.tenant(path))}
    if not reader.problems and residency is not None:
        catalogue = Catalogue(
            services=services, tenants=tenants, jobs=jobs, burn_rate_policies=policies, residency=residency
        )
        reader.problems.extend(_contradictions(catalogue, reader.folder_name))
        if not reader.problems:
            return catalogue
    raise InputError(reader.problems)


class _Reader:
    """Reads files into models and gathers what is wrong, so that one run tells all of it."""

    def __init__(self, folder: Path, today: date) -> None:
        self._folder = folder
        self._today = today
        self.folder_name = folder.name
        self.problems: list[Problem] = []

    def files(self, kind: str) -> list[Path]:
        """YAML files of a subfolder, sorted, relative to the catalogue."""
        return sorted(path.relative_to(self._folder) for path in (self._folder / kind).glob("*.yaml"))

    def documents(self, path: Path) -> list[Any]:
        """YAML documents of a file; problems are noted and give none."""
        file = self._folder / path
        try:
            with file.open("rb") as stream:
                found = read_documents(stream)
        except FileNotFoundError:
            self._note(path, fix="is missing: create it, or restore it from version control")
        except yaml.YAMLError as error:
            self._note(path, fix=fault(error))
        except OSError as error:
            self._note(path, fix=f"can't be read ({error.strerror}): mend its permissions")
        else:
            if not found:
                self._note(path, fix="is empty: restore it from version control, or write {} for no entry")
            return found
        return []

    def model(self, path: Path, model: type[_Model]) -> _Model | None:
        """The one document of a file as a model."""
        documents = self.documents(path)
        if len(documents) == 1:
            return self._validated(documents[0], model, path)
        if documents:
            self._note(path, fix=f"holds {len(documents)} documents: keep one")
        return None

    def mapping(self, path: Path, kind: Any, entry: type[_Model]) -> dict[str, _Model]:
        """A file that maps names to entries."""
        documents = self.documents(path)
        if len(documents) > 1:
            self._note(path, fix=f"holds {len(documents)} documents: keep one")
        if len(documents) != 1:
            return {}
        root = RootModel[kind]
        found = self._validated(documents[0], root, path, entry=entry)
        entries: dict[str, _Model] = found.root if found is not None else {}
        for name, value in entries.items():
            self._check_expiry(value, path, name)
        return entries

    def service(self, path: Path) -> Service | None:
        """A service's file: one OpenSLO Service and its SLOs."""
        headers: list[ServiceDocument] = []
        slos: list[Slo] = []
        before = len(self.problems)
        for number, document in enumerate(self.documents(path), start=1):
            kind = document.get("kind") if isinstance(document, dict) else None
            prefix = f"document {number}"
            if kind == "Service":
                headers += filter(None, [self._validated(document, ServiceDocument, path, prefix=prefix)])
            elif kind == "SLO":
                slos += filter(None, [self._validated(document, Slo, path, prefix=prefix)])
            else:
                fix = f"unknown kind: {did_you_mean(str(kind), ['Service', 'SLO'])}"
                self._note(path, key=f"{prefix}.kind", value=shown(kind), fix=fix)
        if len(self.problems) > before:
            return None
        if len(headers) != 1:
            self._note(path, fix=f"holds {len(headers)} documents of kind Service: it must hold exactly one")
            return None
        if not slos:
            self._note(path, fix="holds no document of kind SLO: add one")
        self._check_name(headers[0].metadata.name, path, "document 1.metadata.name")
        return Service(document=headers[0], slos=tuple(slos))

    def tenant(self, path: Path) -> Tenant | None:
        """A tenant's file."""
        tenant = self.model(path, Tenant)
        if tenant is not None:
            self._check_name(tenant.name, path, "metadata.name")
        return tenant

    def _check_name(self, name: str, path: Path, key: str) -> None:
        if name != path.stem:
            fix = f"must be the file's name: write {path.stem!r} or rename the file"
            self._note(path, key=key, value=shown(name), fix=fix)

    def _validated(
        self,
        data: Any,
        model: type[_Model],
        path: Path,
        *,
        prefix: str = "",
        entry: type[BaseModel] | None = None,
    ) -> _Model | None:
        try:
            value = model.model_validate(data)
        except ValidationError as error:
            self.problems += problems_of(error, file=self._shown(path), prefix=prefix, model=entry or model)
            return None
        self._check_expiry(value, path, prefix)
        self._check_expiry(getattr(value, "spec", None), path, ".".join(filter(None, [prefix, "spec"])))
        return value

    def _check_expiry(self, value: object, path: Path, key: str) -> None:
        if isinstance(value, Expiring) and value.expires is not None and value.expires < self._today:
            fix = f"has expired (today is {self._today}): extend it after a review, or remove the entry"
            key = ".".join(filter(None, [key, "expires"]))
            self._note(path, key=key, value=str(value.expires), fix=fix)

    def _note(self, path: Path, *, key: str = "", value: str = "", fix: str) -> None:
        self.problems.append(Problem(file=self._shown(path), key=key, value=value, fix=fix))

    def _shown(self, path: Path) -> str:
        return str(Path(self.folder_name) / path)


def _contradictions(catalogue: Catalogue, folder: str) -> list[Problem]:
    """What no single file shows: names used twice, references to nothing, regions under other rules."""
    problems = []
    seen: dict[str, str] = {}
    for service in catalogue.services.values():
        file = f"{folder}/services/{service.name}.yaml"
        for slo in service.slos:
            key = f"{slo.name}.spec"
            if slo.service != service.name:
                fix = f"must be the service of this file: write {service.name!r}"
                problems.append(Problem(file=file, key=f"{key}.service", value=shown(slo.service), fix=fix))
            if slo.name in seen:
                fix = f"is also an SLO of {seen[slo.name]}: rename one"
                problems.append(Problem(file=file, key="metadata.name", value=shown(slo.name), fix=fix))
            seen[slo.name] = service.name
            problems += _alert_policy_problems(slo, catalogue, file, f"{key}.alertPolicies")
    for tenant in catalogue.tenants.values():
        problems += _tenant_problems(tenant, catalogue.residency, f"{folder}/tenants/{tenant.name}.yaml")
    return problems


def _alert_policy_problems(slo: Slo, catalogue: Catalogue, file: str, key: str) -> list[Problem]:
    policy = catalogue.burn_rate_policies.get(slo.alert_policy)
    if policy is None:
        fix = f"no such burn-rate policy: {did_you_mean(slo.alert_policy, catalogue.burn_rate_policies)}"
        return [Problem(file=file, key=key, value=shown(slo.alert_policy), fix=fix)]
    problems = []
    for window in policy.windows:
        threshold = window.burn_rate(slo.period) * slo.error_budget
        if threshold >= 1:
            fix = (
                f"can never alert on its {window.severity} window of {window.budget_consumed:.0%}: at target "
                f"{slo.target:g} it would take {threshold:.0%} of errors; choose a policy for wide budgets"
            )
            problems.append(Problem(file=file, key=key, value=shown(slo.alert_policy), fix=fix))
    return problems


def _tenant_problems(tenant: Tenant, residency: Residency, file: str) -> list[Problem]:
    jurisdiction = tenant.spec.jurisdiction
    allowed = residency.jurisdictions.get(jurisdiction)
    if allowed is None:
        fix = f"no such jurisdiction in residency.yaml: {did_you_mean(jurisdiction, residency.jurisdictions)}"
        return [Problem(file=file, key="spec.jurisdiction", value=shown(jurisdiction), fix=fix)]
    return [
        Problem(
            file=file,
            key="spec.regions",
            value=shown(region),
            fix=f"is outside the tenant's jurisdiction {jurisdiction}: choose of {', '.join(allowed)}",
        )
        for region in tenant.spec.regions
        if region not in allowed
    ]
