"""What can be written in one transaction: jobs, snapshots, copies, volumes, templates, counts, and messages about them.

Every state change walks the tables of core/states.py and puts its message into the outbox beside it. Nothing here
commits. Each noun's writer is in a file of its own.
"""

from snapproof.reference_impl.catalog.account_rows import AccountRows
from snapproof.reference_impl.catalog.job_rows import JobRows
from snapproof.reference_impl.catalog.manifest_rows import ManifestRows
from snapproof.reference_impl.catalog.snapshot_rows import SnapshotRows
from snapproof.reference_impl.catalog.tag_rows import TagRows
from snapproof.reference_impl.catalog.template_rows import TemplateRows
from snapproof.reference_impl.catalog.volume_rows import VolumeRows


class Transaction(AccountRows, JobRows, VolumeRows, SnapshotRows, ManifestRows, TagRows, TemplateRows):
    """The writer of one transaction."""
