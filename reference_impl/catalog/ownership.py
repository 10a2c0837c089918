"""The tables of who owns things, under CloudStack's names: domains, users, projects, roles, limits, tags.

The account itself stands in schema.py, since everything else refers to it. No secret is kept in any of them: a user's
secret key follows from its API key and from a key that is not in the database.
"""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, UniqueConstraint

from snapproof.reference_impl.catalog.columns import KEY, UNSIGNED, Words, table

DOMAIN = table(
    "domain",
    Column("id", KEY, primary_key=True),
    Column("parent", UNSIGNED, doc="nothing for the root"),
    Column("name", Words(255)),
    Column("uuid", Words(40)),
    Column("owner", UNSIGNED, nullable=False, server_default="2"),
    Column("path", Words(255), doc="from the root, as in /sales/north/"),
    Column("level", Integer, nullable=False, server_default="0"),
    Column("state", Words(32), nullable=False, server_default="Active"),
    Column("removed", DateTime),
    Index("i_domain__path", "path"),
    UniqueConstraint("uuid", name="uc_domain__uuid"),
)

ROLES = table(
    "roles",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(255)),
    Column("name", Words(255), nullable=False),
    Column("role_type", Words(255), nullable=False, doc="Admin, DomainAdmin or User"),
    Column("description", Words(255)),
    Column("removed", DateTime),
    UniqueConstraint("name", name="uc_roles__name"),
    UniqueConstraint("uuid", name="uc_roles__uuid"),
)

USER = table(
    "user",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40)),
    Column("username", Words(255), nullable=False),
    Column("password", Words(255), nullable=False, server_default="", doc="nobody logs in with one here"),
    Column("account_id", ForeignKey("account.id", name="fk_user__account_id"), nullable=False),
    Column("firstname", Words(255)),
    Column("lastname", Words(255)),
    Column("email", Words(255)),
    Column("state", Words(10), nullable=False, server_default="enabled"),
    Column("api_key", Words(255)),
    Column("created", DateTime),
    Column("removed", DateTime),
    UniqueConstraint("api_key", name="uc_user__api_key"),
    Index("i_user__account_id", "account_id"),
    UniqueConstraint("uuid", name="uc_user__uuid"),
)

PROJECTS = table(
    "projects",
    Column("id", KEY, primary_key=True),
    Column("name", Words(255)),
    Column("uuid", Words(40)),
    Column("display_text", Words(255)),
    Column("project_account_id", ForeignKey("account.id", name="fk_projects__project_account_id"), nullable=False),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("state", Words(255), nullable=False, server_default="Active"),
    Column("created", DateTime),
    Column("removed", DateTime),
    UniqueConstraint("project_account_id", name="uc_projects__project_account_id"),
    UniqueConstraint("uuid", name="uc_projects__uuid"),
)

PROJECT_ACCOUNT = table(
    "project_account",
    Column("id", KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id", name="fk_project_account__account_id"), nullable=False),
    Column("account_role", Words(255), nullable=False, server_default="Regular"),
    Column("project_id", ForeignKey("projects.id", name="fk_project_account__project_id"), nullable=False),
    Column("project_account_id", UNSIGNED, nullable=False),
    Column("created", DateTime),
    UniqueConstraint("account_id", "project_id", name="uc_project_account__account_project"),
)

RESOURCE_LIMIT = table(
    "resource_limit",
    Column("id", KEY, primary_key=True),
    Column("domain_id", UNSIGNED),
    Column("account_id", ForeignKey("account.id", name="fk_resource_limit__account_id")),
    Column("type", Words(255)),
    Column("max", BigInteger, nullable=False, server_default="-1", doc="-1: no limit"),
    Index("i_resource_limit__account_id", "account_id"),
)

ACCOUNT_DETAILS = table(
    "account_details",
    Column("id", KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id", name="fk_account_details__account_id"), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("value", Words(255), nullable=False),
    Index("i_account_details__account_id", "account_id"),
)

RESOURCE_TAGS = table(
    "resource_tags",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40)),
    Column("key", Words(255), nullable=False),
    Column("value", Words(255)),
    Column("resource_id", UNSIGNED, nullable=False, server_default="0"),
    Column("resource_uuid", Words(40)),
    Column("resource_type", Words(255)),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("account_id", UNSIGNED, nullable=False),
    Index("i_resource_tags__resource_uuid", "resource_uuid"),
    UniqueConstraint("uuid", name="uc_resource_tags__uuid"),
)
