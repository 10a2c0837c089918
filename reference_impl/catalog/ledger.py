"""The tables that say what happened, under CloudStack's names: audit events, alerts, and the events of usage."""

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, false, true

from snapproof.reference_impl.catalog.columns import KEY, UNSIGNED, Prose, Words, table

EVENT = table(
    "event",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40)),
    Column("type", Words(32), nullable=False),
    Column("state", Words(32), nullable=False, server_default="Completed"),
    Column("description", Words(1024), nullable=False),
    Column("user_id", UNSIGNED, nullable=False, server_default="1"),
    Column("account_id", UNSIGNED, nullable=False),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("created", DateTime, nullable=False),
    Column("level", Words(16), nullable=False),
    Column("start_id", UNSIGNED, nullable=False, server_default="0", doc="the event that began what this one ends"),
    Column("parameters", Words(1024)),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("display", Boolean, nullable=False, server_default=true()),
    Index("i_event__account_id", "account_id"),
)

ALERT = table(
    "alert",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40)),
    Column("type", Integer, nullable=False),
    Column("name", Words(255)),
    Column("cluster_id", UNSIGNED),
    Column("pod_id", UNSIGNED),
    Column("data_center_id", UNSIGNED, nullable=False, server_default="1"),
    Column("subject", Words(999)),
    Column("content", Prose),
    Column("sent_count", Integer, nullable=False, server_default="0"),
    Column("created", DateTime),
    Column("last_sent", DateTime),
    Column("resolved", DateTime),
    Column("archived", Boolean, nullable=False, server_default=false()),
)

USAGE_EVENT = table(
    "usage_event",
    Column("id", KEY, primary_key=True),
    Column("type", Words(32), nullable=False),
    Column("account_id", UNSIGNED, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("zone_id", UNSIGNED, nullable=False, server_default="1"),
    Column("resource_id", UNSIGNED),
    Column("resource_name", Words(255)),
    Column("offering_id", UNSIGNED),
    Column("template_id", UNSIGNED),
    Column("size", UNSIGNED),
    Column("virtual_size", UNSIGNED),
    Column("resource_type", Words(32)),
    Column("processed", Boolean, nullable=False, server_default=false()),
    Index("i_usage_event__created", "created"),
)
