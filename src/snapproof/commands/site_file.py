"""Reading the file that says where a site is, for commands that look at one; its form is that of /v1/begin."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from snapproof.commands.host import site_of
from snapproof.drivers.contract import SiteMessage
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.site import Site


class SiteFileError(Exception):
    """The file cannot be read, or says no site; the sentence says what to mend."""


def read_site(path: Path, variables: Mapping[str, str]) -> Site:
    """Read it, for a driver in a process with these variables.

    Raises SiteFileError; what the file holds is never repeated, for passwords are in it.
    """
    try:
        return site_of(msgspec.json.decode(path.read_bytes(), type=SiteMessage), variables)
    except OSError as error:
        raise SiteFileError(f"The site file {path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise SiteFileError(
            f"The site file {path} is not what /v1/begin takes (docs/driver-contract.md): {error}."
        ) from error


@contextmanager
def life_at(site: Site) -> Iterator[ReferenceDriver]:
    """A life of the reference driver that only looks: nothing is reconciled."""
    driver = ReferenceDriver(site)
    try:
        yield driver
    finally:
        driver.close()
