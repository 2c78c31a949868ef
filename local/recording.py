"""Runs the program without an engine and records what it registers, for `make render` and tests.

Values that only a provider knows are placeholders that name their origin, such as
`${eu-central-1-evidence-signing-key.arn}`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

from catalog.load import Catalogue, load_catalogue
from catalog.problems import InputError, Problem, did_you_mean
from components.config import PLATFORM_KEY, Settings, parse_settings
from components.platform import register_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = "day2"
ROOT = Path(__file__).parent.parent
_GET_CLUSTER = "aws:eks/getCluster:getCluster"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One resource that the program registered.

    Attributes:
        type: Type token.
        name: Logical name.
        urn: Its URN.
        parent: URN of its parent, empty for none.
        custom: Whether a provider manages it, rather than being a component.
        provider: Reference of the provider that manages it, empty for components.
        inputs: Its inputs, with placeholders for what is not known.
    """

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    provider: str
    inputs: dict[str, Any]


@dataclass
class Recording:
    """Everything that a run of the program registered.

    Attributes:
        registrations: In the order of registration.
        outputs: Outputs that components registered, by URN.
    """

    registrations: list[Registration] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of_type(self, token: str) -> list[Registration]:
        """Registrations with a type token."""
        return [found for found in self.registrations if found.type == token]

    def ancestors(self, registration: Registration) -> Iterator[Registration]:
        """Parent, grandparent and so on."""
        by_urn = {found.urn: found for found in self.registrations}
        current = by_urn.get(registration.parent)
        while current is not None:
            yield current
            current = by_urn.get(current.parent)


class _PlaceholderMocks(Mocks):
    """Answers with the inputs, and a placeholder for each output that the program asks for."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return "", dict(args.inputs)
        computed = {name: _placeholder(args.name, name) for name in ("arn", "keyId", "hex", "result")}
        return _placeholder(args.name, "id"), {**computed, **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token != _GET_CLUSTER:
            raise ValueError(
                f"the program calls {args.token}, which needs a network: give render an answer for it"
            )
        name = args.args["name"]
        return {
            "name": name,
            "endpoint": f"https://{name}.eks.invalid",
            "certificateAuthorities": [{"data": _placeholder(name, "certificate")}],
            "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.invalid/id/{name}"}]}],
        }, []


def _placeholder(resource: str, output: str) -> str:
    return f"${{{resource}.{output}}}"


class _RecordingMonitor(MockMonitor):
    def __init__(self, mocks: Mocks, recording: Recording) -> None:
        super().__init__(mocks)
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the name is gRPC's
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's is untyped
        if request.type != "pulumi:pulumi:Stack":
            self._recording.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    parent=request.parent,
                    custom=request.custom,
                    provider=request.provider,
                    inputs=_plain(rpc.deserialize_properties(request.object)),
                )
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 the name is gRPC's
        self._recording.outputs[request.urn] = _plain(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # likewise


def _plain(value: Any) -> Any:
    """A value without the wrappers of secrets."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:  # noqa: SLF001 the SDK has no public test for it
            return _plain(value["value"])
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def record(program: Callable[[], object], *, stack: str = "render") -> Recording:
    """Runs a program until every registration has been answered.

    Args:
        program: Registers resources.
        stack: Name of the stack that it runs as.

    Returns:
        What it registered; asserting on it is safe, since nothing is still under way.
    """
    recording = Recording()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.settings.reset_options()
    mocks = _PlaceholderMocks()
    set_mocks(mocks, project=PROJECT, stack=stack, preview=False, monitor=_RecordingMonitor(mocks, recording))
    pulumi.runtime.settings.set_root_resource(None)  # type: ignore[arg-type]  # run_in_stack makes the root

    def run() -> None:
        program()

    try:
        loop.run_until_complete(run_in_stack(run))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return recording


def record_platform(settings: Settings, catalogue: Catalogue, *, stack: str) -> Recording:
    """Runs the whole platform of a stack; secrets are placeholders.

    Args:
        settings: Settings of the stack.
        catalogue: What is operated.
        stack: Name of the stack.
    """

    def program() -> None:
        names = {secret for job in catalogue.jobs.values() for secret in job.secrets}
        secrets = {name: pulumi.Output.secret(_placeholder("secret", name)) for name in names}
        register_platform(settings, catalogue, secrets)

    return record(program, stack=stack)


def stack_inputs(stack: str, root: Path = ROOT) -> tuple[Settings, Catalogue]:
    """Settings and catalogue of a stack, read from the project's files.

    Args:
        stack: Name of the stack.
        root: The project's folder.

    Raises:
        InputError: There is no such stack file, or something in it or the catalogue is wrong.
    """
    file = f"Pulumi.{stack}.yaml"
    try:
        content = yaml.safe_load((root / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = [path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml")]
        fix = f"no such stack file: {did_you_mean(stack, known)}"
        raise InputError([Problem(file=file, key="", value="", fix=fix)]) from None
    except yaml.YAMLError as error:
        raise InputError([Problem(file=file, key="", value="", fix=f"is not YAML: {error}")]) from None
    catalogue = load_catalogue(root / "catalog")
    key = f"{PROJECT}:{PLATFORM_KEY}"
    raw = (content or {}).get("config", {}).get(key)
    return parse_settings(raw, file=file, residency=catalogue.residency, key=key), catalogue
