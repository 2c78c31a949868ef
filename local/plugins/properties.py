"""Property bags: protobuf ``Struct`` to plain data and back, unknown values, secrets.

Inside the plugins a property bag is a plain ``dict`` as JSON would give it. A value that a preview does not
know yet is the string `UNKNOWN`; a value to keep secret is wrapped by `secret` on its way out.
"""

from typing import Any

from google.protobuf import struct_pb2

Properties = dict[str, Any]

# Sentinels of sdk/go/common/resource/plugin/rpc.go, one a type of value.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-77ac-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
# Signature key and the signature of a secret, of sdk/go/common/resource/sig/sig.go.
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a published constant, not a password
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


def from_struct(struct: struct_pb2.Struct | None) -> Properties:
    """Plain data: whole numbers as ``int``, secrets and outputs unwrapped, unknowns all alike."""
    if struct is None:
        return {}
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case "struct_value":
            return _unwrap({key: _from_value(item) for key, item in value.struct_value.fields.items()})
    return None


def _unwrap(bag: Properties) -> Any:
    match bag.get(_SIGNATURE_KEY):
        case str(signature) if signature == _SECRET:
            return bag.get("value")
        case str(signature) if signature == _OUTPUT:
            return bag.get("value", UNKNOWN)
    return bag


def to_struct(bag: Properties) -> struct_pb2.Struct:
    """The property bag as protobuf."""
    struct = struct_pb2.Struct()
    for key, value in bag.items():
        _set_value(struct.fields[key], value)
    return struct


def _set_value(target: struct_pb2.Value, value: Any) -> None:
    match value:
        case None:
            target.null_value = struct_pb2.NULL_VALUE
        case bool():
            target.bool_value = value
        case int() | float():
            target.number_value = value
        case str():
            target.string_value = value
        case dict():
            target.struct_value.SetInParent()
            for key, item in value.items():
                _set_value(target.struct_value.fields[str(key)], item)
        case list() | tuple():
            target.list_value.SetInParent()
            for item in value:
                _set_value(target.list_value.values.add(), item)
        case _:
            raise TypeError(
                f"a property of type {type(value).__name__} cannot be sent to the engine: {value!r}"
            )


def secret(value: Any) -> Properties:
    """``value`` marked so that the engine encrypts it in the state and hides it on screen."""
    return {_SIGNATURE_KEY: _SECRET, "value": value}


def has_unknown(value: Any) -> bool:
    """Whether any part of ``value`` is not known yet."""
    match value:
        case str():
            return value == UNKNOWN
        case dict():
            return any(has_unknown(item) for item in value.values())
        case list():
            return any(has_unknown(item) for item in value)
    return False


def without_nulls(value: Any) -> Any:
    """``value`` without the keys whose value is null, at any depth: null means "not set" in a program."""
    match value:
        case dict():
            return {key: without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [without_nulls(item) for item in value]
    return value
