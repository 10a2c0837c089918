"""The register of requirements (`features/requirements.toml`) as values: what is asked, how firmly, and since when.

Which scenarios prove a requirement is said by their tags, and how they ended by `verdict.py`; not here.
"""

import hashlib
import tomllib
from enum import StrEnum
from pathlib import Path

import msgspec


class Level(StrEnum):
    """How firmly a requirement binds a driver."""

    CORE = "core"  # every driver
    EXTENDED = "extended"  # only a driver that declares the requirement's capability


class Status(StrEnum):
    """Whether scenarios prove a requirement. Only tested requirements belong to the frozen set."""

    TESTED = "tested"
    PLANNED = "planned"
    EXCLUDED = "excluded"  # asks nothing that a driver could be judged by; a reason says why


class RegisterError(Exception):
    """The register cannot be read, or contradicts itself; the message says where and what to mend."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the register. `passes_when` is the observation that proves it, `reference` where it comes from.

    `proved_by` names the tests of our own that prove an excluded one of the reference implementation or of the suite.
    """

    id: str
    text: str
    passes_when: str = ""
    section: str = ""
    reference: str = ""
    level: Level = Level.CORE
    capability: str = ""
    status: Status = Status.PLANNED
    reason: str = ""
    proved_by: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    set: str
    requirement: tuple[Requirement, ...] = ()


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """All requirements, in the order of the file. `set_name` and `sha256` say by what a run was judged."""

    path: Path
    set_name: str
    sha256: str
    requirements: tuple[Requirement, ...]

    @property
    def folder(self) -> Path:
        """The folder whose feature files are the canonical ones."""
        return self.path.parent

    def ids(self) -> frozenset[str]:
        """Every id, planned ones included: what a tag may name."""
        return frozenset(requirement.id for requirement in self.requirements)


def read_register(path: Path) -> Register:
    """Read a register. Raises RegisterError."""
    try:
        text = path.read_bytes()
        parsed = msgspec.convert(tomllib.loads(text.decode()), _File)
    except OSError as exc:
        raise RegisterError(f"The register {path} cannot be read: {exc.strerror}.") from exc
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as exc:
        raise RegisterError(f"The register {path} is malformed: {exc}.") from exc
    _refuse_contradictions(path, parsed.requirement)
    digest = hashlib.sha256(text).hexdigest()
    return Register(path=path.resolve(), set_name=parsed.set, sha256=digest, requirements=parsed.requirement)


def _refuse_contradictions(path: Path, requirements: tuple[Requirement, ...]) -> None:
    seen: set[str] = set()
    for requirement in requirements:
        if requirement.id in seen:
            raise RegisterError(f"The register {path} holds {requirement.id} twice; give one of them a fresh id.")
        if requirement.level is Level.EXTENDED and not requirement.capability:
            raise RegisterError(
                f"{requirement.id} in {path} is extended and names no capability; say which one a driver leaves out."
            )
        if (requirement.status is Status.EXCLUDED) != bool(requirement.reason):
            raise RegisterError(
                f"{requirement.id} in {path} is {requirement.status}; a reason belongs to every excluded requirement "
                "and to no other."
            )
        seen.add(requirement.id)
