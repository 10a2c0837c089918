"""The hypervisor port on KVM hosts: a LUN is the disk, a block device by path; no repository, nothing to re-sign.

An agent on each host runs commands (iscsiadm, blockdev). Only the host that needs a LUN logs in to it, here the first.
There is no VHD on these hosts, so nothing is copied to secondary storage; the driver refuses that before it asks.
"""

import base64
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.ports import Disk, HostFacts, ImageFormat, RefusedError, UnknownOutcomeError
from snapproof.site import Endpoint

NO_RECORD = 21
"""Iscsiadm knows no such target or session: what was to be undone is undone."""
HOST = 0
_ISCSI_PORT = 3260


class KvmHypervisor:
    """The hosts of a KVM cluster. `portal` is the array's iSCSI address."""

    image_format = ImageFormat.QCOW2

    def __init__(self, endpoint: Endpoint, *, portal: str) -> None:
        self._transport = Transport(endpoint)
        login = f"{endpoint.username}:{endpoint.password.reveal()}".encode()
        self._authorization = "Basic " + base64.b64encode(login).decode()
        self._portal = _with_port(portal)

    def towards(self, *, portal: str, export_url: str) -> Self:
        """On the same connection."""
        other = copy.copy(self)
        vars(other).update(_portal=_with_port(portal))
        return other

    def examine(self) -> Sequence[HostFacts]:
        """Nobody asks KVM hosts for their initiators: they log in as what the array's group lists."""
        self.detach("iqn.1970-01.invalid:probe")  # which nobody has
        return ()

    def repositories(self, target: str) -> Sequence[str]:
        """None: a LUN is the disk."""
        return ()

    def resign(self, target: str) -> None:
        """Nothing: a clone has no identity that could clash with its parent's."""

    def resigns(self) -> bool:
        """A clone is a disk of its own at once."""
        return True

    def snapshot_disk(self, target: str) -> str:
        """Refuse: the array takes snapshots of these disks."""
        raise RefusedError(f"The disk of {target} is snapshotted by the array, not by KVM hosts.")

    def drop_disk_snapshots(self, target: str) -> None:
        """Nothing: no host ever takes one."""

    def copy_disk(self, source: str, disk: str | None, target: str) -> str:
        """Refuse: the array clones these disks."""
        raise RefusedError(f"The disk of {source} is cloned by the array; KVM hosts copy nothing to {target}.")

    def attach(self, target: str) -> Disk:
        """Log in and find the device. Logging in twice is harmless."""
        self._node(target, "-o", "new")
        self._node(target, "--login")
        path = self._device(target)
        said = self._run("blockdev", "--getsize64", path)
        if not said.strip().isdecimal():
            raise RefusedError(f"The host's answer about the size of {target} is no number.")
        return Disk(uuid=path, size_bytes=int(said))

    def copy_out(self, target: str, directory: str) -> str:
        """Refuse: a KVM host writes no VHD."""
        raise RefusedError(f"The disk of {target} cannot be copied to secondary storage: KVM hosts write no VHD.")

    def copy_in(self, directory: str, file: str, target: str, *, size_bytes: int) -> None:
        """Refuse: a KVM host reads no VHD."""
        raise RefusedError(f"{directory}/{file} cannot be restored to {target}: KVM hosts read no VHD.")

    def is_formatted(self, target: str) -> bool:
        """As it is: no repository is ever written."""
        return True

    def wipe(self, target: str) -> None:
        """Nothing: no repository was ever written."""

    def grow_disk(self, target: str, size_bytes: int) -> None:
        """Nothing: the LUN is the disk."""

    def detach(self, target: str) -> None:
        """Log out and forget the target; one that is not there is gone already."""
        for option in (("--logout",), ("-o", "delete")):
            self._node(target, *option, harmless=(NO_RECORD,))

    def clear_unused(self, target: str) -> bool:
        """What is a disk of no machine on any host is nobody's; of one that is shut off it is still the disk."""
        if any(self._device(target) in disks for disks in self._disks_of_machines()):
            return False
        self.detach(target)
        return True

    def detach_export(self, directory: str) -> None:
        """Nothing: no export is ever mounted."""

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def _node(self, target: str, *options: str, harmless: tuple[int, ...] = ()) -> str:
        return self._run("iscsiadm", "-m", "node", "-T", target, "-p", self._portal, *options, harmless=harmless)

    def _device(self, target: str) -> str:
        return f"/dev/disk/by-path/ip-{self._portal}-iscsi-{target}-lun-0"

    def _disks_of_machines(self) -> Iterator[Sequence[str]]:
        """The words in which each machine's disks are told, on every host."""
        for host in range(self._number_of_hosts()):
            for machine in self._run("virsh", "list", "--all", "--name", host=host).split("\n"):
                if machine:
                    yield self._run("virsh", "domblklist", machine, host=host).split()

    def _number_of_hosts(self) -> int:
        hosts = self._ask("hosts", "GET", "/hosts", b"").get("hosts")
        if not isinstance(hosts, list) or not hosts:
            raise UnknownOutcomeError("hosts: the agent's answer names none.")
        return len(hosts)

    def _run(self, *command: str, host: int = HOST, harmless: tuple[int, ...] = ()) -> str:
        """Run one command on a host. What a program complains of is never repeated: it may hold secrets (C14)."""
        answer = self._ask(command[0], "POST", "/run", json.dumps({"host": host, "command": command}).encode())
        code = answer.get("code")
        if code not in (0, *harmless):
            raise RefusedError(f"{command[0]} ended with exit code {code}.")
        return str(answer.get("stdout", ""))

    def _ask(self, what: str, method: str, path: str, body: bytes) -> Mapping[str, object]:
        headers = {"content-type": "application/json", "authorization": self._authorization}
        status, _, text = self._transport.exchange(method, path, headers, body)
        if status != 200:
            raise UnknownOutcomeError(f"{what}: the agent answered with HTTP {status}.")
        return _read(what, text)


def _with_port(portal: str) -> str:
    return portal if ":" in portal else f"{portal}:{_ISCSI_PORT}"


def _read(what: str, text: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnknownOutcomeError(f"{what}: the agent's answer cannot be read.") from error
    if not isinstance(answer, dict):
        raise UnknownOutcomeError(f"{what}: the agent's answer is no object.")
    return answer
