"""Faults of an NFS server through both of its doors, at the same labels: one model, two doors."""

import contextlib
import errno
from collections.abc import Callable

import pytest

from snapproof.fixtures.nfs3_client import EXCLUSIVE, FILE_SYNC, NFS, UNSTABLE, Nfs3Client, setting
from snapproof.simulators.faults import CrashedError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import opaque
from snapproof.simulators.secondary.nfs_faults import ACTS, ERRNOS, REBOOT
from snapproof.site import Directory

WORDS = {"EACCES": "ACCES", "EDQUOT": "DQUOT", "EIO": "IO", "ENOSPC": "NOSPC", "EROFS": "ROFS", "ESTALE": "STALE"}
FITTING = [
    (act, name)
    for act, names in sorted(ACTS.items())
    for name in sorted(names - {REBOOT})
    if act != "set_attributes"  # which no client in our own process can ask for
]


def in_process(directory: Directory) -> dict[str, Callable[[], object]]:
    """Each act of a server, caused by a client in our own process."""

    def write() -> None:
        file = directory.create("written")
        try:
            file.write(b"x" * 10)
        finally:
            with contextlib.suppress(OSError):
                file.close()

    def read() -> None:
        file = directory.open("file")
        try:
            file.read_at(0, 9)
        finally:
            file.close()

    return {
        "create": lambda: directory.create("new").close(),
        "delete": lambda: directory.delete("file"),
        "delete_directory": lambda: directory.delete_directory("empty"),
        "fsync": lambda: directory.create("synced").close(),
        "list": lambda: directory.list(""),
        "make_directories": lambda: directory.make_directories("folder"),
        "open": lambda: directory.open("file").close(),
        "read": read,
        "rename": lambda: directory.rename("file", "other"),
        "size": lambda: directory.size("file"),
        "write": write,
    }


def over_nfs(client: Nfs3Client) -> dict[str, Callable[[], object]]:
    """Each act of a server, caused by a client on the socket; what it needs is looked up first."""
    root = client.mount()
    file = client.look_up(root, b"file")
    return {
        "create": lambda: client.create(root, b"new"),
        "delete": lambda: client.remove(root, b"file"),
        "delete_directory": lambda: client.remove_directory(root, b"empty"),
        "fsync": lambda: client.commit(file),
        "list": lambda: list(client.names(root)),
        "make_directories": lambda: client.make_directory(root, b"folder"),
        "open": lambda: client.look_up(root, b"file"),
        "read": lambda: client.read(file, 0, 9),
        "rename": lambda: client.rename(root, b"file", root, b"other"),
        "size": lambda: client.attributes(file),
        "write": lambda: client.write(file, 0, b"y"),
    }


@pytest.fixture
def furnished(export: NfsExport) -> NfsExport:
    """An export with a file and an empty directory."""
    (export.root / "file").write_bytes(b"content")
    (export.root / "empty").mkdir()
    return export


@pytest.mark.parametrize(("act", "name"), FITTING)
def test_an_act_that_fails_fails_through_both_doors_and_changes_nothing(
    furnished: NfsExport, client: Nfs3Client, seam: Seam, act: str, name: str
) -> None:
    acts = over_nfs(client)
    before = furnished.list("")
    seam.arm_next(f"export.{act}", fault_named(f"refused:{name}"))
    with pytest.raises(StatusError) as told:
        acts[act]()
    assert told.value.status.name == WORDS[name]
    seam.arm_next(f"export.{act}", fault_named(f"refused:{name}"))
    with pytest.raises(OSError) as raised:  # noqa: PT011  the errno is what is asked below
        in_process(furnished)[act]()
    assert errno.errorcode[raised.value.errno or 0] == name
    assert (seam.unspent(), len(seam.fired())) == ((), 2)
    assert set(furnished.list("")) - {"written", "synced"} == set(before)
    assert furnished.read("file") == b"content"
    acts[act]()


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_fault_that_an_act_cannot_show_is_refused_when_it_is_armed(seam: Seam, act: str) -> None:
    for name in sorted((ERRNOS | {REBOOT, "ENONSENSE"}) - ACTS[act]):
        with pytest.raises(ValueError, match=f"This server's {act} has no error '{name}'; the nearest are"):
            seam.arm_next(f"export.{act}", fault_named(f"refused:{name}"))
    for word in ("lost_after", "hang_before", "truncated", "crash_before", "http500_after", "error_after:EIO"):
        with pytest.raises(
            ValueError, match=rf"export.{act} cannot meet .*; write nfs\.\w+=\w+_after, of the client\."
        ):
            seam.arm_next(f"export.{act}", fault_named(word))
    assert seam.unspent() == ()


@pytest.mark.parametrize("name", sorted(ACTS["set_attributes"]))
def test_attributes_that_cannot_be_set_stay(furnished: NfsExport, client: Nfs3Client, seam: Seam, name: str) -> None:
    seam.arm_next("export.set_attributes", fault_named(f"refused:{name}"))
    with pytest.raises(StatusError, match=f"NFS3ERR_{WORDS[name]}"):
        client.set_attributes(client.look_up(client.mount(), b"file"), attributes=setting(size_bytes=0))
    assert (furnished.read("file"), seam.unspent()) == (b"content", ())


def test_a_fault_of_an_act_that_nobody_caused_is_unspent(client: Nfs3Client, seam: Seam) -> None:
    seam.arm("export.rename#1", fault_named("refused:EROFS"))
    seam.arm_always("export.write", fault_named("refused:ENOSPC"))
    client.attributes(client.mount())
    assert seam.unspent() == ("export.rename#1=refused:EROFS",)
    assert seam.standing() == ("export.write=refused:ENOSPC",)
    seam.disarm()
    assert (seam.unspent(), seam.standing()) == ((), ())


def test_acts_are_counted_and_are_no_calls(furnished: NfsExport, seam: Seam, journal: Journal) -> None:
    furnished.list("")
    furnished.open("file").close()
    furnished.list("")
    assert seam.counts("export") == {"export.list": 2, "export.open": 1}
    assert (seam.labels(), len(journal)) == ((), 0)
    seam.restart_count()
    assert seam.counts("export") == {}


CALLS: dict[str, str] = {
    "close": "fsync", "create": "create", "delete": "delete", "delete_directory": "delete_directory", "list": "list",
    "make_directories": "make_directories", "open": "open", "rename": "rename", "size": "size",
}  # fmt: skip
"""Calls of a client as the seam knows them, and the acts of the server behind them."""


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_refused_through_both_doors_by_the_same_label(
    furnished: NfsExport, client: Nfs3Client, seam: Seam, call: str
) -> None:
    acts, directory = over_nfs(client), in_process(furnished.through(seam))
    seam.restart_count()
    seam.arm(f"nfs.{call}#1", fault_named("refused:ESTALE"))
    seam.arm(f"nfs.{call}#2", fault_named("refused:ESTALE"))
    with pytest.raises(StatusError, match="STALE"):
        acts[CALLS[call]]()
    with pytest.raises(OSError, match="Stale"):
        directory[CALLS[call]]()
    assert seam.unspent() == ()
    acts[CALLS[call]]()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("word", ["lost_before", "lost_after"])
def test_a_lost_answer_is_a_connection_that_dies(
    furnished: NfsExport, client: Nfs3Client, seam: Seam, call: str, word: str
) -> None:
    acts = over_nfs(client)
    seam.arm_next(f"nfs.{call}", fault_named(word))
    with pytest.raises(ConnectionResetError):
        acts[CALLS[call]]()
    done = {
        "create": "new" in furnished.list(""),
        "delete": not {"file", "other"} & set(furnished.list("")),
        "delete_directory": "empty/" not in furnished.list(""),
        "make_directories": "folder/" in furnished.list(""),
        "rename": "other" in furnished.list(""),
    }
    assert [name for name, happened in done.items() if happened] == ([call] if call in done and "after" in word else [])


@pytest.mark.usefixtures("furnished")
def test_who_asks_again_after_a_lost_answer_is_told_what_happened_then(server: NfsServer, seam: Seam) -> None:
    for call, procedure, names in (("rename", 14, (b"file", b"other")), ("delete", 12, (b"other",))):
        with Nfs3Client(server.host, server.port) as client:
            root = client.mount()
            arguments = b"".join(opaque(root) + opaque(name) for name in names)
            message = client.message(NFS, 3, procedure, arguments, xid=700)
            seam.arm_next(f"nfs.{call}", fault_named("lost_after"))
            client.send(message)
            with pytest.raises(ConnectionResetError):
                client.receive()
        told = []
        with Nfs3Client(server.host, server.port) as again:
            for _ in range(2):
                again.send(message)
                told.append(Status(again.answered(again.receive(), 700).uint()))
        assert told == [Status.OK, Status.NOENT]


@pytest.mark.usefixtures("furnished")
def test_a_hanging_answer_leaves_the_connection_alive(client: Nfs3Client, seam: Seam) -> None:
    root = client.mount()
    seam.arm_next("nfs.rename", fault_named("hang_after"))
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.rename(root, b"file", root, b"other")
    client.socket.settimeout(20)
    assert client.attributes(client.look_up(root, b"other")).size_bytes == 7


def test_a_crash_is_told_to_whoever_runs_the_client(export: NfsExport, seam: Seam) -> None:
    crashes: list[CrashedError] = []
    with serve_nfs(export, on_crash=crashes.append) as server, Nfs3Client(server.host, server.port) as client:
        root = client.mount()
        seam.arm_next("nfs.create", fault_named("crash_after"))
        with pytest.raises(ConnectionResetError):
            client.create(root, b"new")
    assert [str(crash) for crash in crashes] == ["The caller was killed at nfs.create#1 (crash_after)."]
    assert export.list("") == ["new"]


def test_a_commit_that_is_refused_loses_the_bytes(export: NfsExport, client: Nfs3Client, seam: Seam) -> None:
    root = client.mount()
    for label in ("nfs.close", "export.fsync"):
        handle = client.create(root, label.encode())
        client.write(handle, 0, b"durable", FILE_SYNC)
        client.write(handle, 2, b"in the air", UNSTABLE)
        assert client.read(handle, 0, 99)[0] == b"duin the air"
        seam.arm_next(label, fault_named("refused:EIO"))
        with pytest.raises(StatusError, match="NFS3ERR_IO"):
            client.commit(handle)
        assert client.read(handle, 0, 99)[0] == export.read(label) == b"durable"


def test_a_commit_whose_answer_says_eio_falsely_has_kept_the_bytes(client: Nfs3Client, seam: Seam) -> None:
    handle = client.create(client.mount(), b"file")
    client.write(handle, 0, b"kept")
    seam.arm_next("nfs.close", fault_named("error_after:EIO"))
    with pytest.raises(StatusError, match="NFS3ERR_IO"):
        client.commit(handle)
    assert client.read(handle, 0, 9)[0] == b"kept"


@pytest.fixture
def written(client: Nfs3Client) -> bytes:
    """A file with durable bytes, overwritten and extended by bytes that are not."""
    handle = client.create(client.mount(), b"grown")
    client.write(handle, 0, b"0123456789", FILE_SYNC)
    client.write(handle, 4, b"ab")
    client.write(handle, 3, b"xyz")
    client.write(handle, 8, b"longer than it was")
    assert client.read(handle, 0, 99)[0] == b"012xyz67longer than it was"
    return handle


def test_a_reboot_loses_what_was_not_durable_and_the_verifier_says_so(
    export: NfsExport, client: Nfs3Client, written: bytes, journal: Journal
) -> None:
    before = client.commit(client.create(client.mount(), b"other"))
    client.rename(client.mount(), b"grown", client.mount(), b"renamed")
    export.reboot()
    assert client.read(written, 0, 99)[0] == export.read("renamed") == b"0123456789"
    assert client.commit(written) != before
    assert [entry.facts["files_lost_bytes"] for entry in journal if entry.event == "server rebooted"] == [1]
    export.reboot()
    assert client.read(written, 0, 99)[0] == b"0123456789"


def test_what_was_committed_survives_a_reboot(export: NfsExport, client: Nfs3Client, written: bytes) -> None:
    before = client.commit(written)
    export.reboot()
    assert client.read(written, 0, 99)[0] == b"012xyz67longer than it was"
    assert client.write(written, 0, b"") != before


@pytest.mark.parametrize("act", ["write", "fsync"])
def test_a_reboot_in_the_middle_of_an_act_cuts_the_connection(
    export: NfsExport, server: NfsServer, client: Nfs3Client, written: bytes, seam: Seam, act: str
) -> None:
    seam.arm_next(f"export.{act}", fault_named("refused:REBOOT"))
    with pytest.raises(ConnectionResetError):
        client.write(written, 0, b"new", FILE_SYNC)
    with Nfs3Client(server.host, server.port) as again:
        assert again.read(written, 0, 99)[0] == b"0123456789"
        again.write(written, 0, b"new", FILE_SYNC)
    assert export.read("grown") == b"new3456789"


@pytest.mark.parametrize("act", ["write", "fsync"])
def test_a_reboot_tells_a_writer_of_our_own_process_that_its_bytes_are_lost(
    export: NfsExport, seam: Seam, act: str
) -> None:
    file = export.create("file")
    file.write(b"one")
    seam.arm_next(f"export.{act}", fault_named("refused:REBOOT"))
    with pytest.raises(OSError, match="rebooted") as caught:  # noqa: PT012  whichever of the two comes to the act
        if act == "write":
            file.write(b"two")
        file.close()
    assert caught.value.errno == errno.EIO
    with contextlib.suppress(OSError):
        file.close()
    assert export.read("file") == b""
    assert (export.boots, seam.unspent()) == (2, ())


def test_a_reboot_between_two_writes_is_never_hidden(export: NfsExport) -> None:
    fresh, begun = export.create("fresh"), export.create("begun")
    begun.write(b"1")
    export.reboot()
    fresh.write(b"2")
    fresh.close()
    with pytest.raises(OSError, match="lost"):
        begun.write(b"3")
    with pytest.raises(OSError, match="lost"):
        begun.close()
    assert (export.read("fresh"), export.read("begun")) == (b"2", b"")


def test_the_condition_of_the_server_is_met_by_every_procedure(
    furnished: NfsExport, client: Nfs3Client, written: bytes
) -> None:
    root = client.mount()
    acts = {
        **over_nfs(client),
        "attributes": lambda: client.set_attributes(written),
        "exclusive": lambda: client.create(root, b"x", EXCLUSIVE, bytes(8)),
        "link": lambda: client.link(written, root, b"x"),
        "symlink": lambda: client.symbolic_link(root, b"x", b"y"),
        "node": lambda: client.make_node(root, b"x", 7),
        "access": lambda: client.access(root),
        "link told": lambda: client.read_link(root),
        "plus": lambda: list(client.names(root, plus=True)),
    }
    furnished.condition = Condition.READ_ONLY
    refused = {name for name, act in acts.items() if _word(act) == "ROFS"}
    assert refused == {
        "create", "delete", "delete_directory", "fsync", "make_directories", "rename", "write",
        "attributes", "exclusive", "link", "symlink", "node",
    }  # fmt: skip
    furnished.condition = Condition.STALE
    assert {_word(act) for act in acts.values()} == {"STALE"}
    furnished.condition = Condition.HEALTHY
    assert _word(acts["rename"]) == ""


def _word(act: Callable[[], object]) -> str:
    try:
        act()
    except StatusError as error:
        return error.status.name
    return ""
