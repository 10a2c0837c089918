"""The few commands that an agent runs on a KVM host: iscsiadm, blockdev, and virsh for domains and their disks.

Options are those that CloudStack's agent uses. Whatever else is asked is refused with the exit code of a usage error.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from snapproof.simulators.kvm.state import CommandError, Domain, Host, State, by_path

NO_RECORD, NOT_FOUND, USAGE = 21, 1, 7
"""Exit codes: iscsiadm knows no such record or session, virsh knows no such thing, the options are wrong."""
RAW_REFUSAL = "error: unsupported configuration: internal snapshot for disk {disk} unsupported for storage type raw"


class _Parser(argparse.ArgumentParser):
    """Refuses by an error of ours, and never ends the process."""

    def error(self, message: str) -> NoReturn:
        """What was wrong is not repeated: it may hold a secret."""
        raise CommandError(USAGE, f"{self.prog}: these options are wrong or incomplete")


def run(state: State, host: Host, command: Sequence[str]) -> str:
    """Run one command on a host; answers what it prints. Raises CommandError."""
    if not command or command[0] not in PROGRAMS:
        raise CommandError(127, f"{command[0] if command else ''}: command not found")
    return PROGRAMS[command[0]](state, host, list(command[1:]))


def _iscsiadm(state: State, host: Host, words: list[str]) -> str:
    parser = _Parser(prog="iscsiadm", add_help=False, allow_abbrev=False)
    parser.add_argument("-m", choices=("node", "session"), required=True)
    parser.add_argument("-T", dest="target", default="")
    parser.add_argument("-p", dest="portal", default="")
    parser.add_argument("-o", dest="operation", choices=("new", "update", "delete"))
    parser.add_argument("-n", dest="name", default="")
    parser.add_argument("-v", dest="value", default="")
    parser.add_argument("--login", action="store_true")
    parser.add_argument("--logout", action="store_true")
    asked = parser.parse_args(words)
    if asked.m == "session":
        return "".join(f"tcp: [1] {path}\n" for path in host.devices)
    node = (asked.portal, asked.target)
    if asked.operation == "new":
        host.nodes.setdefault(node, {})
    elif node not in host.nodes:
        raise CommandError(NO_RECORD, f"iscsiadm: No records found for {asked.target} at {asked.portal}")
    elif asked.operation == "update":
        host.nodes[node][asked.name] = asked.value
    elif asked.operation == "delete":
        del host.nodes[node]
    elif asked.login:
        state.log_in(host, *node)
    elif asked.logout:
        _log_out(state, host, by_path(*node))
    return ""


def _log_out(state: State, host: Host, path: str) -> None:
    if path not in host.devices:
        raise CommandError(NO_RECORD, "iscsiadm: No matching sessions found")
    state.log_out(host, path)


def _blockdev(state: State, host: Host, words: list[str]) -> str:
    if len(words) != 2 or words[0] != "--getsize64":
        raise CommandError(USAGE, "blockdev: usage: blockdev --getsize64 DEVICE")
    return f"{state.device(host, words[1]).size_bytes}\n"


def _virsh(state: State, host: Host, words: list[str]) -> str:
    verb, *rest = words or [""]
    if verb == "list":
        return _list(host, frozenset(rest))
    if verb not in _VERBS or not rest:
        raise CommandError(NOT_FOUND, f"error: unknown command: '{verb}'")
    return _VERBS[verb](state, host, rest[0], rest[1:])


def _list(host: Host, options: frozenset[str]) -> str:
    """The domains that run, or with `--all` every one; with `--name` by their names alone."""
    if unknown := options - {"--all", "--name"}:
        raise CommandError(NOT_FOUND, f"error: command 'list' doesn't support option {min(unknown)}")
    domains = [domain for domain in host.domains.values() if domain.running or "--all" in options]
    if "--name" in options:
        return "".join(f"{domain.name}\n" for domain in domains) + "\n"
    rows = [
        (str(number) if domain.running else "-", domain.name, "running" if domain.running else "shut off")
        for number, domain in enumerate(domains, start=1)
    ]
    return _table(("Id", "Name", "State"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As virsh aligns what it lists: a line of names, one of dashes, the rows, an empty line."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    first, *others = (
        " " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)
    )
    return "\n".join((first, "-" * len(first), *others, "", ""))


def _define(state: State, host: Host, name: str, _words: list[str]) -> str:
    if name not in host.domains:
        host.domains[name] = Domain(name=name, uuid=state.new_uuid())
        state.record("domain defined", host=host.name, domain=name)
    return ""


def _attach(state: State, host: Host, name: str, words: list[str]) -> str:
    """Give a domain the block device at a path. Any host's device will do: there is no repository to agree with."""
    domain = _domain(host, name)
    if len(words) != 2:
        raise CommandError(USAGE, "error: usage: attach-disk DOMAIN SOURCE TARGET")
    path, disk = words
    state.device(host, path)
    if disk in domain.disks:
        raise CommandError(NOT_FOUND, f"error: Operation not supported: target {disk} already exists")
    if any(path in other.disks.values() for other in host.domains.values()):
        raise CommandError(NOT_FOUND, f"error: Requested operation is not valid: {path} is in use by another disk")
    domain.disks[disk] = path
    state.record("disk attached", host=host.name, domain=name, disk=disk)
    return ""


def _detach(state: State, host: Host, name: str, words: list[str]) -> str:
    domain = _domain(host, name)
    if len(words) != 1 or words[0] not in domain.disks:
        raise CommandError(NOT_FOUND, f"error: No disk found whose source path or target is {' '.join(words)}")
    del domain.disks[words[0]]
    state.record("disk detached", host=host.name, domain=name, disk=words[0])
    return ""


def _start(state: State, host: Host, name: str, _words: list[str]) -> str:
    domain = _domain(host, name)
    for path in domain.disks.values():
        state.device(host, path)
    domain.running = True
    state.record("domain started", host=host.name, domain=name)
    return ""


def _destroy(state: State, host: Host, name: str, _words: list[str]) -> str:
    _domain(host, name).running = False
    state.record("domain destroyed", host=host.name, domain=name)
    return ""


def _undefine(state: State, host: Host, name: str, _words: list[str]) -> str:
    if _domain(host, name).running:
        raise CommandError(NOT_FOUND, f"error: Requested operation is not valid: domain {name} runs")
    del host.domains[name]
    state.record("domain undefined", host=host.name, domain=name)
    return ""


def _disks(_state: State, host: Host, name: str, _words: list[str]) -> str:
    return _table(("Target", "Source"), list(_domain(host, name).disks.items()))


def _snapshot(_state: State, host: Host, name: str, _words: list[str]) -> str:
    """Refuse: a raw block device holds no snapshots of libvirt's; the array takes them."""
    disk = next(iter(_domain(host, name).disks), "vda")
    raise CommandError(NOT_FOUND, RAW_REFUSAL.format(disk=disk))


def _domain(host: Host, name: str) -> Domain:
    if name not in host.domains:
        raise CommandError(NOT_FOUND, f"error: failed to get domain '{name}'")
    return host.domains[name]


_VERBS: Mapping[str, Callable[[State, Host, str, list[str]], str]] = {
    "define": _define,
    "undefine": _undefine,
    "attach-disk": _attach,
    "detach-disk": _detach,
    "start": _start,
    "destroy": _destroy,
    "domblklist": _disks,
    "snapshot-create-as": _snapshot,
}
PROGRAMS: Mapping[str, Callable[[State, Host, list[str]], str]] = {
    "iscsiadm": _iscsiadm,
    "blockdev": _blockdev,
    "virsh": _virsh,
}
"""What a host can run."""
