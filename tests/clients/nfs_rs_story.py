"""Run inside an environment of its own, with nothing but nfs-rs: an export used over NFS version 3, told as JSON.

It knows nothing of the simulator.
"""

from collections.abc import Callable
from typing import Any

import nfs_rs  # type: ignore[import-not-found]  # only there


def connected(port: int) -> Any:
    """Mount the export."""
    return nfs_rs.Client.connect(
        "nfs://127.0.0.1/export/secondary", versions=["3"], nfs_port=port, mount_port=port, noresvport=True
    )


def life(port: int, size_bytes: int) -> Any:
    """Make directories, write, move, link, cut, look at and list files."""
    with connected(port) as client:
        client.mkdir("/snapshots/7", parents=True)
        with client.open("/snapshots/7/a.part", "wb") as file:
            file.write(bytes(range(256)) * (size_bytes // 256))
        client.rename("/snapshots/7/a.part", "/snapshots/7/a")
        client.link("/snapshots/7/a", "/second")
        client.symlink("../outside", "/link")
        client.open("/cut", "wb").close()
        client.truncate("/cut", 7)
        client.chmod("/cut", 0o600)
        client.utime("/cut", ns=(5, 6))
        cut = client.stat("/cut")
        with client.open("/second", "rb") as file:
            middle = file.read_at(size_bytes - 2, 9).hex()
        return {
            "version": client.version.value,
            "names": sorted(client.listdir("/")),
            "middle": middle,
            "cut": [cut.size, cut.mode & 0o777, cut.atime, cut.mtime],
            "link": client.readlink("/link"),
            "links": client.stat("/second").nlink,
            "limits": [client.io_limits.max_read, client.io_limits.max_write],
            "total": client.fs_stat().total_bytes,
        }


def many(port: int, count: int) -> Any:
    """Make many files and list them with their attributes, page after page."""
    with connected(port) as client:
        client.mkdir("/many")
        for number in range(count):
            client.touch(f"/many/{number:04}")
        return sorted(entry.name for entry in client.scandir("/many") if entry.info.type.value == "file")


def refusals(port: int) -> Any:
    """Ask for what cannot be, and tell the errors."""
    with connected(port) as client:
        client.mkdir("/full/inner", parents=True)
        acts: dict[str, Callable[[], object]] = {
            "open nothing": lambda: client.open("/none", "rb"),
            "remove a full directory": lambda: client.rmdir("/full"),
            "remove a directory as a file": lambda: client.remove("/full"),
            "make what is there": lambda: client.mkdir("/full"),
        }
        return {name: number(act) for name, act in acts.items()}


def failing(port: int) -> Any:
    """Write and close a file on a server that may fail; tell the errors of both, 0 for none."""
    with connected(port) as client:
        file = client.open("/file", "wb")
        return [number(lambda: file.write(b"x" * 5000)), number(file.close)]


def number(act: Callable[[], object]) -> int:
    """The errno of what went wrong, or the number that NFS gives it; 0 where nothing did."""
    try:
        act()
    except nfs_rs.NfsError as error:
        return error.errno or error.code or -1
    return 0


PARTS = {part.__name__: part for part in (life, many, refusals, failing)}
