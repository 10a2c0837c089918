"""What every writer of a transaction stands on: its connection, its one time, accounts, and the outbox."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    OUTBOX,
    VOLUMES,
)
from snapproof.reference_impl.core.names import id_of
from snapproof.vocabulary import Alert, AuditEvent, StateChange, UsageEvent

_ACCOUNT = select(ACCOUNT.c.id).where(ACCOUNT.c.account_name == bindparam("name"))
_DOMAIN_OF = select(ACCOUNT.c.domain_id).where(ACCOUNT.c.id == bindparam("number"))
_VOLUME = select(VOLUMES.c.id).where(VOLUMES.c.uuid == bindparam("uuid"))
_SENDING = insert(OUTBOX)


class Writer:
    """One transaction's connection. `now` is the one time that all its rows carry."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._accounts: dict[str, int] = {}

    def ensure_account(self, name: str) -> int:
        """Find or make an account row."""
        if name not in self._accounts:
            known = self._connection.execute(_ACCOUNT, {"name": name}).scalar()
            if known is None:
                insert_unless_there(self._connection, ACCOUNT, {"account_name": name, "uuid": id_of("account", name)})
                known = self._connection.execute(_ACCOUNT, {"name": name}).scalar_one()
            self._accounts[name] = int(known)
        return self._accounts[name]

    def domain_of(self, account: str) -> int:
        """The number of an account's domain; an older release reads it beside everything that the account has."""
        return int(self._connection.execute(_DOMAIN_OF, {"number": self.ensure_account(account)}).scalar_one())

    def _volume_id(self, uuid: str) -> int:
        return int(self._connection.execute(_VOLUME, {"uuid": uuid}).scalar_one())

    def _send(self, topic: str, message: AuditEvent | UsageEvent | StateChange | Alert) -> None:
        text = msgspec.json.encode(message).decode()
        self._connection.execute(_SENDING, {"topic": topic, "message": text, "created": self._now})
