"""Writing what others are told: audit, alerts, usage, each into CloudStack's table and the outbox; and the bill."""

from sqlalchemy import bindparam, insert, select, update

from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.ledger import EVENT, USAGE_EVENT
from snapproof.reference_impl.catalog.ownership import USER
from snapproof.reference_impl.catalog.schema import (
    RESOURCE_COUNT,
    USAGE_STORAGE,
)
from snapproof.reference_impl.catalog.writer import Writer
from snapproof.vocabulary import Alert, AuditEvent, UsageEvent

SYSTEM_USER = 1
"""CloudStack's number of whoever acts when nobody asked; account_rows.py keeps it free."""

_CHARGING = (
    update(RESOURCE_COUNT)
    .where(RESOURCE_COUNT.c.account_id == bindparam("account"), RESOURCE_COUNT.c.type == bindparam("resource"))
    .values(count=RESOURCE_COUNT.c["count"] + bindparam("change"))
)
_BILLING = insert(USAGE_STORAGE)
_AUDITING = insert(EVENT)
_USING = insert(USAGE_EVENT)


class MessageRows(Writer):
    """The writer of messages, counts and bills."""

    def count(self, account: str, resource: str, change: int) -> None:
        """Charge an account, or give back."""
        account_id = self.ensure_account(account)
        charge = {"account": account_id, "resource": resource, "change": change}
        if self._connection.execute(_CHARGING, charge).rowcount == 0:
            values = {"account_id": account_id, "type": resource, "count": change}
            if not insert_unless_there(self._connection, RESOURCE_COUNT, values):
                self._connection.execute(_CHARGING, charge)

    def bill(self, account: str, subject: str, location: str, size_bytes: int) -> None:
        """Begin a line of the bill."""
        values = {"source_uuid": subject, "location_type": location, "size": size_bytes, "created": self._now}
        self._connection.execute(_BILLING, {"account_id": self.ensure_account(account), **values})

    def end_bill(self, subject: str) -> None:
        """End the line of the bill that is open for a snapshot."""
        line = (USAGE_STORAGE.c.source_uuid == subject) & USAGE_STORAGE.c.deleted.is_(None)
        self._connection.execute(update(USAGE_STORAGE).where(line).values(deleted=self._now))

    def audit(self, event: AuditEvent) -> None:
        """Write an audit event where CloudStack lists them, and put it into the outbox."""
        self._connection.execute(
            _AUDITING,
            {
                "type": event.type,
                "state": event.phase,
                "level": event.level,
                "description": f"{event.type} of {event.subject}"[:1024],
                "user_id": SYSTEM_USER if event.caller is None else self._user_of(event.caller),
                "account_id": self.ensure_account(event.account),
                "parameters": f"operation={event.operation}"[:1024],
                "created": self._now,
            },
        )
        self._send("audit", event)

    def _user_of(self, caller: str) -> int:
        """The number of an account's first user; one who has none is told of as the system, as CloudStack does."""
        mine = (USER.c.account_id == self.ensure_account(caller)) & USER.c.removed.is_(None)
        which = select(USER.c.id).where(mine).order_by(USER.c.id)
        return self._connection.execute(which).scalars().first() or SYSTEM_USER

    def alert(self, alert: Alert) -> None:
        """Put an alert into the outbox."""
        self._send("alert", alert)

    def usage(self, event: UsageEvent) -> None:
        """Write a usage event where CloudStack's usage server finds it, and put it into the outbox."""
        self._connection.execute(
            _USING,
            {
                "type": event.type,
                "account_id": self.ensure_account(event.account),
                "resource_name": event.subject,
                "size": event.size_bytes,
                "created": self._now,
            },
        )
        self._send("usage", event)
