"""Which exports hosts can mount, by URL: the wiring hands this to the hypervisor."""

import errno
from collections.abc import Mapping

from snapproof.site import Directory

SCHEME = "nfs://"


class ExportMounts:
    """The `Mounts` of a world with these exports. `nfs://server/path` and `server:/path` name the same one."""

    def __init__(self, exports: Mapping[str, Directory]) -> None:
        self._exports = {_plain(url): directory for url, directory in exports.items()}

    def mount(self, url: str) -> Directory:
        """Reach an export. Raises FileNotFoundError when no server of this world exports that path."""
        if _plain(url) not in self._exports:
            raise FileNotFoundError(errno.ENOENT, f"No server exports this; there are {', '.join(self._exports)}", url)
        return self._exports[_plain(url)]


def _plain(url: str) -> str:
    """Write an export as `server:/path`."""
    if url.startswith(SCHEME):
        server, _, path = url.removeprefix(SCHEME).partition("/")
        url = f"{server}:/{path}"
    return url.rstrip("/")
