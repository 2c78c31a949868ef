"""The stand-in for pulumi-resource-aws: a table of resource types over boto3."""

import threading

from local.plugins.aws import iam, kms, s3
from local.plugins.aws.invokes import FUNCTIONS
from local.plugins.aws.resource import ResourceType, canonical_json
from local.plugins.aws.session import Session, explained
from local.plugins.comparison import differences, drifted_inputs
from local.plugins.properties import UNKNOWN, Properties, has_unknown, without_nulls
from local.plugins.provider import Backend, CheckFailure, Diff, Found, ProviderError, Resource

TYPES: dict[str, ResourceType] = {**s3.TYPES, **kms.TYPES, **iam.TYPES}


class AwsBackend(Backend):
    """One provider instance: one account and default region."""

    name = "aws"
    version = "7.51.1"

    def __init__(self) -> None:
        self._session = Session({})
        threading.Thread(target=_import_boto3, daemon=True).start()

    def configure(self, config: Properties) -> None:
        """Take the region, credentials and default tags; refuse an account that is not allowed."""
        self._session = Session(config)
        self._session.require_allowed_account()

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, list[CheckFailure]]:
        """Complete the inputs with a name and the default tags; refuse what the table does not have."""
        entry = _entry(resource.type)
        inputs = {**entry.defaults, **without_nulls(new)}
        failures = [
            CheckFailure(
                key, f"the AWS stand-in of the embedded platform does not support {key} on {resource.type}"
            )
            for key in sorted(inputs.keys() - entry.accepted)
        ]
        if entry.name and entry.name not in inputs:
            prefix = inputs.get(f"{entry.name}Prefix") or f"{entry.name_prefix}{resource.name}-"
            generated = f"{prefix}{(seed + bytes(4))[:4].hex()[:7]}"
            inputs[entry.name] = old.get(entry.name) or (
                generated.lower() if entry.name == "bucket" else generated
            )
        if entry.tagged:
            tags = inputs.get("tags", {})
            inputs["tagsAll"] = UNKNOWN if tags == UNKNOWN else {**self._session.default_tags, **tags}
        return inputs, failures

    def diff(self, resource: Resource, old: Properties, new: Properties) -> Diff:
        """Compare inputs; JSON documents by meaning."""
        entry = _entry(resource.type)
        found = list(differences(_comparable(entry, old), _comparable(entry, new)))
        always = entry.update is None
        replaces = frozenset(str(item) for item in found if always or item.path[0] in entry.replacing)
        same = bool(entry.identity) and all(old.get(key) == new.get(key) for key in entry.identity)
        return Diff(found, replaces, delete_first=bool(replaces) and same)

    def create(
        self, resource: Resource, inputs: Properties, *, preview: bool, timeout_seconds: float
    ) -> tuple[str, Properties]:
        """Create or adopt the resource."""
        del timeout_seconds
        entry = _entry(resource.type)
        if preview:
            region = {"region": inputs.get("region") or self._session.region} if entry.regional else {}
            return "", {**dict.fromkeys(entry.computed, UNKNOWN), **region, **inputs}
        session = self._session.at(inputs.get("region"))
        with explained(f"creating {resource.name} ({resource.type})"):
            identifier = entry.create(session, inputs)
            live = entry.read(session, identifier, inputs)
        if live is None:
            raise ProviderError(
                f"{resource.name} ({resource.type}): {identifier} is gone right after its creation"
            )
        return identifier, self._outputs(entry, live, inputs, session)

    def read(
        self, resource: Resource, identifier: str, inputs: Properties, outputs: Properties
    ) -> Found | None:
        """The live resource, and the inputs as it has them."""
        entry = _entry(resource.type)
        session = self._session.at(inputs.get("region") or outputs.get("region"))
        with explained(f"reading {resource.name} ({resource.type})"):
            live = entry.read(session, identifier, inputs or outputs)
        if live is None:
            return None
        found = self._outputs(entry, live, inputs, session)
        projected = drifted_inputs(inputs, outputs, found)
        for key in {"tags", "tagsAll"} & inputs.keys():
            if outputs.get(key) != found.get(key):  # tags that others added are drift, too
                projected[key] = found.get(key, {})
        return Found(found, projected)

    def update(
        self,
        resource: Resource,
        identifier: str,
        old: Properties,
        outputs: Properties,
        new: Properties,
        *,
        preview: bool,
        timeout_seconds: float,
    ) -> Properties:
        """Change the resource in place."""
        del timeout_seconds
        entry = _entry(resource.type)
        if preview:
            return {**outputs, **new}
        session = self._session.at(new.get("region"))
        with explained(f"updating {resource.name} ({resource.type})"):
            if entry.update is not None:
                entry.update(session, identifier, old, new)
            live = entry.read(session, identifier, new)
        if live is None:
            raise ProviderError(
                f"{resource.name} ({resource.type}): {identifier} was deleted behind Pulumi's back; "
                "run `pulumi refresh`, then `pulumi up` makes it again"
            )
        return self._outputs(entry, live, new, session)

    def delete(
        self,
        resource: Resource,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
        *,
        timeout_seconds: float,
    ) -> None:
        """Delete the resource."""
        del timeout_seconds
        session = self._session.at(outputs.get("region") or inputs.get("region"))
        with explained(f"deleting {resource.name} ({resource.type})"):
            _entry(resource.type).delete(session, identifier, {**inputs, **outputs})

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function of the table."""
        if token not in FUNCTIONS:
            raise ProviderError(
                f"the function {token} is not in the AWS stand-in of the embedded platform; "
                f"it knows {', '.join(sorted(FUNCTIONS))}"
            )
        if has_unknown(arguments):
            return {}
        with explained(f"calling {token}"):
            return FUNCTIONS[token](self._session.at(arguments.get("region")), arguments)

    def _outputs(
        self, entry: ResourceType, live: Properties, inputs: Properties, session: Session
    ) -> Properties:
        outputs = {**live, **{key: inputs[key] for key in entry.settings & inputs.keys()}}
        outputs |= {key: canonical_json(outputs[key]) for key in entry.json & outputs.keys()}
        if entry.regional:
            outputs["region"] = session.region
        if entry.tagged:
            everything = outputs.setdefault("tagsAll", {})
            ours = inputs.get("tags", {})
            default = session.default_tags
            outputs["tags"] = {
                key: tag for key, tag in everything.items() if key in ours or key not in default
            }
        return without_nulls(outputs)  # type: ignore[no-any-return]  # a dict stays a dict


def _entry(token: str) -> ResourceType:
    if token not in TYPES:
        raise ProviderError(
            f"{token} is not in the AWS stand-in of the embedded platform; it knows "
            f"{', '.join(sorted(TYPES))}. "
            "Add an entry to the table in local/plugins/aws/, or use the official plugin."
        )
    return TYPES[token]


def _comparable(entry: ResourceType, inputs: Properties) -> Properties:
    return {key: canonical_json(value) if key in entry.json else value for key, value in inputs.items()}


def _import_boto3() -> None:
    import boto3  # noqa: F401, PLC0415 loads while the engine starts the program
