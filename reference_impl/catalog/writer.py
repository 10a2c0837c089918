"""What every writer of a transaction stands on: its connection, its one time, accounts, and the outbox."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select

from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    OUTBOX,
    VOLUMES,
)
from snapproof.reference_impl.core.names import id_of
from snapproof.vocabulary import Alert, AuditEvent, StateChange, UsageEvent


class Writer:
    """One transaction's connection. `now` is the one time that all its rows carry."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._accounts: dict[str, int] = {}

    def ensure_account(self, name: str) -> int:
        """Find or make an account row."""
        if name not in self._accounts:
            which = select(ACCOUNT.c.id).where(ACCOUNT.c.account_name == name)
            known = self._connection.execute(which).scalar()
            if known is None:
                insert_unless_there(self._connection, ACCOUNT, {"account_name": name, "uuid": id_of("account", name)})
                known = self._connection.execute(which).scalar_one()
            self._accounts[name] = int(known)
        return self._accounts[name]

    def domain_of(self, account: str) -> int:
        """The number of an account's domain; an older release reads it beside everything that the account has."""
        which = select(ACCOUNT.c.domain_id).where(ACCOUNT.c.id == self.ensure_account(account))
        return int(self._connection.execute(which).scalar_one())

    def _volume_id(self, uuid: str) -> int:
        found = self._connection.execute(select(VOLUMES.c.id).where(VOLUMES.c.uuid == uuid)).scalar_one()
        return int(found)

    def _send(self, topic: str, message: AuditEvent | UsageEvent | StateChange | Alert) -> None:
        text = msgspec.json.encode(message).decode()
        self._connection.execute(insert(OUTBOX).values(topic=topic, message=text, created=self._now))
