"""The checksums of a multipart upload: what a client may declare, what its parts must bring, what the object gets.

`<Part>` lists are read here too. Where parts are kept, and their ETags, are moto's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from snapproof.simulators.secondary.checksums import DIGESTS, OF_WHOLE_OBJECTS, written
from snapproof.simulators.secondary.digests import CHECKSUM, algorithms_brought
from snapproof.simulators.secondary.s3_errors import S3RefusalError

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"
NEVER_OF_WHOLE_OBJECTS = frozenset({"SHA1", "SHA256"})

GUESSES = (
    "A part may bring a checksum although the upload declared none.",
    "A part may come without the checksum that the upload declared; the store computes it then.",
    "A completion without the checksums of its parts is refused as InvalidRequest, one with wrong ones as InvalidPart.",
)
"""What the documentation of S3 leaves open, and nobody tried there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What CreateMultipartUpload said of checksums."""

    algorithm: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What the store says of an object of parts."""

    algorithm: str
    kind: str
    value: str
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part as CompleteMultipartUpload lists it: its number, and the checksum that the client remembers."""

    number: int
    checksum: str | None


def declared(headers: Mapping[str, str]) -> Declared | None:
    """Read what an upload declares; None for nothing. Raises S3RefusalError for what S3 cannot compute."""
    algorithm = headers.get(f"{CHECKSUM}algorithm", "").upper()
    if not algorithm:
        return None
    if algorithm not in DIGESTS:
        raise S3RefusalError("InvalidRequest", f"There is no checksum algorithm {algorithm}.")
    usual = FULL_OBJECT if algorithm in OF_WHOLE_OBJECTS else COMPOSITE
    kind = headers.get(f"{CHECKSUM}type", usual).upper()
    impossible = OF_WHOLE_OBJECTS if kind == COMPOSITE else NEVER_OF_WHOLE_OBJECTS
    if kind not in {COMPOSITE, FULL_OBJECT} or algorithm in impossible:
        raise S3RefusalError("InvalidRequest", f"The checksum type {kind} cannot be used with {algorithm}.")
    return Declared(algorithm=algorithm, kind=kind)


def require_same_algorithm(upload: Declared | None, headers: Mapping[str, str]) -> None:
    """Refuse a part whose checksum is of another algorithm than the upload's."""
    others = [name for name in algorithms_brought(headers) if upload is not None and name != upload.algorithm]
    if upload is not None and others:
        raise S3RefusalError(
            "InvalidRequest",
            f"The upload was begun with {upload.algorithm} checksums, and the part brings {', '.join(others)}.",
        )


def listed_parts(body: bytes, algorithm: str) -> tuple[Part, ...]:
    """Read the list of a completion. Raises S3RefusalError for what is no such list."""
    try:
        root = ET.fromstring(b"" if b"<!" in body else body)  # a list of parts declares no types or entities
        found = [{_tag(field): field.text or "" for field in part} for part in root if _tag(part) == "Part"]
        return tuple(Part(number=int(part["PartNumber"]), checksum=part.get(f"Checksum{algorithm}")) for part in found)
    except (ET.ParseError, KeyError, ValueError) as error:
        raise S3RefusalError("MalformedXML", "The XML you provided was not a well-formed list of parts.") from error


def checksum_of(
    upload: Declared, body: bytes, contents: Mapping[int, bytes], headers: Mapping[str, str]
) -> Checksum | None:
    """Compute the checksum of the object that a completion makes. Raises S3RefusalError where the client knows another.

    None where the list names parts that there are not, which is refused for another reason.
    """
    listed = listed_parts(body, upload.algorithm)
    if not listed or any(part.number not in contents for part in listed):
        return None
    digest = DIGESTS[upload.algorithm]
    if upload.kind == FULL_OBJECT:
        value = written(digest(b"".join(contents[part.number] for part in listed)))
    else:
        digests = [digest(contents[part.number]) for part in listed]
        for part, real in zip(listed, digests, strict=True):
            _require_remembered(upload.algorithm, part, written(real))
        value = written(digest(b"".join(digests)))
    claimed = headers.get(f"{CHECKSUM}{upload.algorithm.lower()}", value)
    if claimed.partition("-")[0] != value:
        raise S3RefusalError("BadDigest", f"The {upload.algorithm} you specified did not match what we received.")
    return Checksum(algorithm=upload.algorithm, kind=upload.kind, value=value, parts=len(listed))


def _require_remembered(algorithm: str, part: Part, real: str) -> None:
    if part.checksum is None:
        raise S3RefusalError(
            "InvalidRequest",
            f"The upload was begun with {algorithm} checksums; that of part {part.number} is missing in the list.",
        )
    if part.checksum != real:
        raise S3RefusalError("InvalidPart", f"Part {part.number} does not have the checksum that was listed.")


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
