"""The messages of CSI 1.x that a controller is asked with, for protocol buffers to write and to read.

Numbers and types are the facts of the interface (csi.proto, version 1.11); what the bridge has no use for is not here
and is skipped when it is read.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessages

PACKAGE = "csi.v1"


class Field(NamedTuple):
    """One field: its number, its name, and `string`, `int`, `bool`, `map` (of strings) or another message."""

    number: int
    name: str
    kind: str = "string"
    repeated: bool = False


MESSAGES: Mapping[str, tuple[Field, ...]] = {
    "GetPluginInfoRequest": (),
    "GetPluginInfoResponse": (Field(1, "name"), Field(2, "vendor_version")),
    "Rpc": (Field(1, "type", "int"),),
    "ControllerServiceCapability": (Field(1, "rpc", "Rpc"),),
    "ControllerGetCapabilitiesRequest": (),
    "ControllerGetCapabilitiesResponse": (Field(1, "capabilities", "ControllerServiceCapability", repeated=True),),
    "CapacityRange": (Field(1, "required_bytes", "int"), Field(2, "limit_bytes", "int")),
    "BlockVolume": (),
    "AccessMode": (Field(1, "mode", "int"),),
    "VolumeCapability": (Field(1, "block", "BlockVolume"), Field(3, "access_mode", "AccessMode")),
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
    "DeleteVolumeResponse": (),
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
    "DeleteSnapshotResponse": (),
}
PLAIN = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int": FieldDescriptorProto.TYPE_INT64,
    "bool": FieldDescriptorProto.TYPE_BOOL,
}


class Messages:
    """Writes and reads these messages by their names."""

    def __init__(self) -> None:
        described = FileDescriptorProto(name="csi.proto", package=PACKAGE, syntax="proto3")
        for name, fields in MESSAGES.items():
            message = described.message_type.add(name=name)
            for field in fields:
                _describe(field, message)
        self._kinds: Mapping[str, Any] = GetMessages([described], pool=DescriptorPool())

    def written(self, message: str, value: Mapping[str, Any]) -> bytes:
        """Write a message with these fields. Raises ValueError for a field that it does not have."""
        text: bytes = self._kinds[f"{PACKAGE}.{message}"](**value).SerializeToString(deterministic=True)
        return text

    def read(self, message: str, text: bytes) -> Any:
        """Read a message, whose fields are attributes. Raises ValueError for what is none."""
        try:
            return self._kinds[f"{PACKAGE}.{message}"].FromString(text)
        except DecodeError as error:
            raise ValueError(f"{len(text)} bytes are no {message}: {error}") from error


def _describe(field: Field, message: DescriptorProto) -> None:
    """Add a field. A map is a list of messages of its own, with a key and a value each."""
    kind = f"{field.name.title().replace('_', '')}Entry" if field.kind == "map" else field.kind
    several = field.repeated or field.kind == "map"
    message.field.add(
        name=field.name,
        number=field.number,
        label=FieldDescriptorProto.LABEL_REPEATED if several else FieldDescriptorProto.LABEL_OPTIONAL,
        type=PLAIN.get(kind, FieldDescriptorProto.TYPE_MESSAGE),
        type_name=None if kind in PLAIN else kind,
    )
    if field.kind == "map":
        entry = message.nested_type.add(name=kind, options={"map_entry": True})
        for part in (Field(1, "key"), Field(2, "value")):
            _describe(part, entry)
