"""Where the scenario takes place: which kind of secondary storage the site has."""

from collections.abc import Callable

from pytest_bdd import given, parsers

from snapproof.lab import Lab


@given(parsers.parse("backups are kept on {store}"), target_fixture="lab")
def backups_kept_on(open_lab: Callable[[str], Lab], store: str) -> Lab:
    """Build the site with backups on `NFS` or `S3`."""
    return open_lab(store.lower())
