"""Writing tags: words of the caller's own beside a thing, found again as they were written."""

from collections.abc import Mapping

from sqlalchemy import insert

from snapproof.reference_impl.catalog.ownership import RESOURCE_TAGS
from snapproof.reference_impl.catalog.writer import Writer
from snapproof.reference_impl.core.names import id_of


class TagRows(Writer):
    """The writer of tags."""

    def put_tags(self, account: str, kind: str, thing: str, tags: Mapping[str, str]) -> None:
        """Tag a thing."""
        owner = self.ensure_account(account)
        for key, value in tags.items():
            about = {"resource_uuid": thing, "resource_type": kind, "account_id": owner}
            uuid = id_of("tag", f"{thing} {key}")
            self._connection.execute(insert(RESOURCE_TAGS).values(uuid=uuid, key=key, value=value, **about))
