"""The tables of image stores and of what lies there beside backups: templates, under CloudStack's names.

What is declared and why is said in schema.py.
"""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Integer, UniqueConstraint, false, true

from snapproof.reference_impl.catalog.columns import KEY, UNSIGNED, Words, table
from snapproof.reference_impl.catalog.schema import StoreRole

IMAGE_STORE = table(
    "image_store",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(255), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("image_provider_name", Words(255), nullable=False, server_default="NFS"),
    Column("protocol", Words(255), nullable=False, server_default="nfs"),
    Column("url", Words(255)),
    Column("data_center_id", UNSIGNED, server_default="1"),
    Column("scope", Words(255), server_default="ZONE"),
    Column("role", Words(255), server_default=StoreRole.IMAGE),
    Column("created", DateTime),
    Column("removed", DateTime),
    UniqueConstraint("uuid", name="uc_image_store__uuid"),
)
"""A backup's store_id is a number of this table, and a pool's number may be the same."""

VM_TEMPLATE = table(
    "vm_template",
    Column("id", KEY, primary_key=True),
    Column("unique_name", Words(255), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("uuid", Words(40), nullable=False),
    Column("public", Boolean, nullable=False, server_default=false()),
    Column("featured", Boolean, nullable=False, server_default=false()),
    Column("type", Words(32), server_default="USER"),
    Column("hvm", Boolean, nullable=False, server_default=true()),
    Column("bits", Integer, nullable=False, server_default="64"),
    Column("format", Words(32), nullable=False, server_default="VHD"),
    Column("created", DateTime, nullable=False),
    Column("removed", DateTime),
    Column("account_id", ForeignKey("account.id", name="fk_vm_template__account_id"), nullable=False),
    Column("guest_os_id", UNSIGNED, nullable=False, server_default="1"),
    Column("hypervisor_type", Words(32), server_default="XenServer"),
    Column("size", UNSIGNED, doc="guest-visible bytes"),
    Column("state", Words(255), server_default="Active"),
    UniqueConstraint("uuid", name="uc_vm_template__uuid"),
    Index("i_vm_template__account_id", "account_id"),
)

TEMPLATE_STORE_REF = table(
    "template_store_ref",
    Column("id", KEY, primary_key=True),
    Column("store_id", UNSIGNED, nullable=False, server_default="1"),
    Column("template_id", ForeignKey("vm_template.id", name="fk_template_store_ref__template_id"), nullable=False),
    Column("created", DateTime, nullable=False),
    Column("size", UNSIGNED),
    Column("store_role", Words(255), server_default="Image"),
    Column("physical_size", UNSIGNED, server_default="0"),
    Column("download_state", Words(255), server_default="DOWNLOADED"),
    Column("install_path", Words(255)),
    Column("digest", Words(80), doc="with the name of its algorithm; CloudStack keeps an MD5 elsewhere"),
    Column("state", Words(255), nullable=False, server_default="Ready"),
    Column("destroyed", Boolean, server_default=false()),
    Index("i_template_store_ref__template_id", "template_id"),
)
