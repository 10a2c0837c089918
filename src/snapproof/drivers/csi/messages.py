"""The messages of CSI 1.x that a controller is asked with, and how protocol buffers write them.

Numbers and types are the facts of the interface (csi.proto, version 1.11); what the bridge has no use for is not here
and is skipped when it is read. Values are dicts, at this wire alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field: its number, its name, and `string`, `int`, `bool`, `map` (of strings) or another message."""

    number: int
    name: str
    kind: str = "string"
    repeated: bool = False


MESSAGES: Mapping[str, tuple[Field, ...]] = {
    "Empty": (),
    "MapEntry": (Field(1, "key"), Field(2, "value")),
    "BoolValue": (Field(1, "value", "bool"),),
    "GetPluginInfoResponse": (Field(1, "name"), Field(2, "vendor_version")),
    "ProbeResponse": (Field(1, "ready", "BoolValue"),),
    "Rpc": (Field(1, "type", "int"),),
    "ControllerServiceCapability": (Field(1, "rpc", "Rpc"),),
    "ControllerGetCapabilitiesResponse": (Field(1, "capabilities", "ControllerServiceCapability", repeated=True),),
    "CapacityRange": (Field(1, "required_bytes", "int"), Field(2, "limit_bytes", "int")),
    "AccessMode": (Field(1, "mode", "int"),),
    "VolumeCapability": (Field(1, "block", "Empty"), Field(3, "access_mode", "AccessMode")),
    "SnapshotSource": (Field(1, "snapshot_id"),),
    "VolumeContentSource": (Field(1, "snapshot", "SnapshotSource"),),
    "Volume": (Field(1, "capacity_bytes", "int"), Field(2, "volume_id"), Field(3, "volume_context", "map")),
    "CreateVolumeRequest": (
        Field(1, "name"),
        Field(2, "capacity_range", "CapacityRange"),
        Field(3, "volume_capabilities", "VolumeCapability", repeated=True),
        Field(4, "parameters", "map"),
        Field(5, "secrets", "map"),
        Field(6, "volume_content_source", "VolumeContentSource"),
    ),
    "CreateVolumeResponse": (Field(1, "volume", "Volume"),),
    "DeleteVolumeRequest": (Field(1, "volume_id"), Field(2, "secrets", "map")),
    "Snapshot": (
        Field(1, "size_bytes", "int"),
        Field(2, "snapshot_id"),
        Field(3, "source_volume_id"),
        Field(5, "ready_to_use", "bool"),
    ),
    "CreateSnapshotRequest": (
        Field(1, "source_volume_id"),
        Field(2, "name"),
        Field(3, "secrets", "map"),
        Field(4, "parameters", "map"),
    ),
    "CreateSnapshotResponse": (Field(1, "snapshot", "Snapshot"),),
    "DeleteSnapshotRequest": (Field(1, "snapshot_id"), Field(2, "secrets", "map")),
}
ZERO: Mapping[str, Any] = {"string": "", "int": 0, "bool": False}
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def written(message: str, value: Mapping[str, Any]) -> bytes:
    """Write a message. Fields that are absent or zero are left out, as protocol buffers do."""
    fields = {field.name: field for field in MESSAGES[message]}
    if unknown := sorted(value.keys() - fields.keys()):
        raise ValueError(f"{message} has no fields {', '.join(unknown)}.")
    return b"".join(_field(fields[name], each) for name in fields for each in _each(fields[name], value.get(name)))


def _each(field: Field, value: Any) -> list[Any]:
    if field.kind == "map":
        return [{"key": name, "value": text} for name, text in sorted((value or {}).items())]
    if field.repeated:
        return list(value or ())
    return [] if value is None or (field.kind in ZERO and value == ZERO[field.kind]) else [value]


def _field(field: Field, value: Any) -> bytes:
    if field.kind in {"int", "bool"}:
        return _varint(field.number << 3 | VARINT) + _varint(int(value))
    if field.kind == "string":
        body = str(value).encode()
    else:
        body = written("MapEntry" if field.kind == "map" else field.kind, value)
    return _varint(field.number << 3 | LENGTH) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    rest, found = number & (1 << 64) - 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


def read(message: str, text: bytes) -> dict[str, Any]:
    """Read a message; absent fields are zero, empty or None. Raises ValueError for what is none."""
    fields = {field.number: field for field in MESSAGES[message]}
    found: dict[str, Any] = {field.name: _absent(field) for field in MESSAGES[message]}
    for number, wire_type, value in _parts(text):
        if (field := fields.get(number)) is None:
            continue
        if (wire_type == VARINT) != (field.kind in {"int", "bool"}):
            raise ValueError(f"{message}.{field.name} is written as wire type {wire_type}.")
        if field.kind == "map":
            entry = read("MapEntry", value)
            found[field.name][entry["key"]] = entry["value"]
        elif field.repeated:
            found[field.name].append(read(field.kind, value))
        else:
            found[field.name] = _value(field.kind, value)
    return found


def _absent(field: Field) -> Any:
    if field.kind == "map":
        return {}
    return [] if field.repeated else ZERO.get(field.kind)


def _value(kind: str, value: Any) -> Any:
    if kind == "int":
        return value - (1 << 64) if value >> 63 else value
    if kind == "bool":
        return bool(value)
    return value.decode() if kind == "string" else read(kind, value)


def _parts(text: bytes) -> Iterator[tuple[int, int, Any]]:
    at = 0
    while at < len(text):
        tag, at = _number(text, at)
        if tag & 7 == VARINT:
            value, at = _number(text, at)
            yield tag >> 3, VARINT, value
            continue
        if tag & 7 == LENGTH:
            length, at = _number(text, at)
        else:
            length = {FIXED64: 8, FIXED32: 4}.get(tag & 7, -1)
        if length < 0 or at + length > len(text):
            raise ValueError(f"The message ends or breaks at byte {at}.")
        yield tag >> 3, tag & 7, text[at : at + length]
        at += length


def _number(text: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(text):
            break
        number |= (text[at + place] & 0x7F) << (7 * place)
        if text[at + place] < 0x80:
            return number & (1 << 64) - 1, at + place + 1
    raise ValueError(f"There is no whole number at byte {at}.")
