"""The pure state of a pool: its tables, and the world it stands in. Nothing here does I/O.

What the objects are is in rows.py, rules live in methods*.py.
"""

import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from snapproof.simulators.clock import Clock, Transition
from snapproof.simulators.fabric import Fabric, Mounts
from snapproof.simulators.journal import Fact, Journal
from snapproof.simulators.xenserver.attachments import Attachment
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.rows import (
    Copy,
    Host,
    Notice,
    Pbd,
    PoolRecord,
    Row,
    Session,
    Sm,
    Sr,
    Table,
    Task,
    TaskStatus,
    Vbd,
    Vdi,
    Vm,
)
from snapproof.simulators.xenserver.sightings import Sightings

PLAIN = ("user", "subject", "role", "secret", "console", "network", "PIF", "VIF", "VM_metrics", "VM_guest_metrics")
"""Classes of which the pool keeps records, and no more."""


class State:
    """Everything a pool is, and the world it stands in: clock, journal, fabric, mounts, dice."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        fabric: Fabric,
        mounts: Mounts,
        dice: random.Random,
        chunk_bytes: int,
        sr_count_max: int,
    ) -> None:
        self.clock = clock
        self.fabric = fabric
        self.mounts = mounts
        self.chunk_bytes = chunk_bytes
        self.sr_count_max = sr_count_max
        self.pace: dict[str, Transition] = {}
        """How long calls take that a client makes as tasks, by the call's name; the others take no time."""
        self.copies_held = False
        """Whether copies stand still, whoever looks at them."""
        self.sightings = Sightings()
        self.garbage: dict[str, float] = {}
        """SRs that the collector is to look at, by ref, and when."""
        self._journal = journal
        self._dice = dice
        self.pools: Table[PoolRecord] = Table("pool")
        self.hosts: Table[Host] = Table("host")
        self.sms: Table[Sm] = Table("SM")
        self.srs: Table[Sr] = Table("SR")
        self.pbds: Table[Pbd] = Table("PBD")
        self.vdis: Table[Vdi] = Table("VDI")
        self.vbds: Table[Vbd] = Table("VBD")
        self.vms: Table[Vm] = Table("VM")
        self.tasks: Table[Task] = Table("task")
        self.sessions: Table[Session] = Table("session")
        self.notices: Table[Notice] = Table("message")
        self.host_metrics: Table[Row] = Table("host_metrics")
        self.plain: dict[str, Table[Row]] = {name: Table(name) for name in PLAIN}
        own: tuple[Table[Any], ...] = (
            self.pools, self.hosts, self.sms, self.srs, self.pbds, self.vdis, self.vbds, self.vms, self.tasks,
            self.sessions, self.notices, self.host_metrics,
        )  # fmt: skip
        self._tables: dict[str, Table[Any]] = {table.kind: table for table in own} | self.plain
        self.detached: list[Task] = []
        """Tasks that their client destroyed while the copy was still under way: the copy goes on."""

    @property
    def tables(self) -> Mapping[str, Table[Any]]:
        """Every table, by the name of its class."""
        return self._tables

    def require(self, kind: str, ref: str) -> None:
        """Raise HANDLE_INVALID unless there is an object of this class behind the ref."""
        table = self._tables.get(kind)
        if table is None:
            raise XapiError("HANDLE_INVALID", kind, ref)
        table.find(ref)

    def new_row(self, kept: dict[str, object]) -> Row:
        """Make an object of a class that has no rules of its own."""
        return Row(ref=self.new_ref(), uuid=self.new_uuid(), kept=kept)

    @property
    def master(self) -> Host:
        return next(iter(self.pools)).master

    def new_uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def new_ref(self) -> str:
        return f"OpaqueRef:{self.new_uuid()}"

    def record(self, event: str, **facts: Fact) -> None:
        """Tell the journal what changed here."""
        self._journal.record("host", event, **facts)

    def pbds_of(self, sr: Sr) -> list[Pbd]:
        return [pbd for pbd in self.pbds if pbd.sr is sr]

    def vdis_of(self, sr: Sr) -> list[Vdi]:
        return [vdi for vdi in self.vdis if vdi.sr is sr]

    def vbds_of(self, vdi: Vdi) -> list[Vbd]:
        return [vbd for vbd in self.vbds if vbd.vdi is vdi]

    def drop_vdi(self, vdi: Vdi) -> None:
        """Forget the record of a VDI, and the unplugged VBDs that pointed to it."""
        for vbd in self.vbds_of(vdi):
            self.vbds.remove(vbd)
        self.vdis.remove(vdi)

    def copies(self) -> list[Copy]:
        """The copies under way, whether or not anybody still holds their task."""
        return [task.copy for task in self.unfinished() if task.copy]

    def unfinished(self) -> list[Task]:
        return [task for task in (*self.tasks, *self.detached) if task.status is TaskStatus.PENDING]

    def attachment(self, sr: Sr, host: Host | None = None) -> Attachment:
        """How the pool reaches an SR: through `host` if given, else the master first. Raises SR_HAS_NO_PBDS."""
        plugged = [pbd for pbd in self.pbds_of(sr) if pbd.attachment and (host is None or host is pbd.host)]
        plugged.sort(key=lambda pbd: pbd.host is not self.master)
        for pbd in plugged:
            if pbd.attachment:
                return pbd.attachment
        raise XapiError("SR_HAS_NO_PBDS", sr.ref)
