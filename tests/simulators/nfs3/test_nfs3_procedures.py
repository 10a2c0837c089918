"""Each procedure of NFS version 3: what it does, what it refuses and with which word, and what the other door sees."""

import stat
from collections.abc import Callable
from pathlib import Path

from snapproof.fixtures.nfs3_client import (
    EXCLUSIVE,
    FILE_SYNC,
    GUARDED,
    NO_ATTRIBUTES,
    UNCHECKED,
    UNSTABLE,
    Nfs3Client,
    setting,
)
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import NfsServer
from snapproof.simulators.secondary.nfs3.statuses import StatusError
from snapproof.simulators.secondary.nfs3.xdr import FALSE, TRUE, hyper, opaque, uint


def refused(act: Callable[[], object]) -> str:
    """The word with which something was refused, or nothing."""
    try:
        act()
    except StatusError as error:
        return error.status.name
    return ""


def written(client: Nfs3Client, root: bytes, name: bytes, octets: bytes) -> bytes:
    """A durable file of the root."""
    handle = client.create(root, name)
    client.write(handle, 0, octets, FILE_SYNC)
    return handle


def test_what_is_written_through_one_door_is_read_through_the_other(
    client: Nfs3Client, root: bytes, export: NfsExport, journal: Journal
) -> None:
    folder = client.make_directory(client.make_directory(root, b"snapshots"), b"7")
    handle = client.create(folder, b"a.vhd.part")
    assert client.write(handle, 0, b"one") == client.write(handle, 3, b"two") == client.commit(handle)
    client.rename(folder, b"a.vhd.part", folder, b"a.vhd")
    assert export.read("snapshots/7/a.vhd") == b"onetwo"
    assert client.read(handle, 1, 3) == (b"net", False)
    file = export.create("snapshots/7/b.vhd")
    file.write(b"three")
    file.close()
    assert client.read(client.walk(root, "snapshots/7/b.vhd"), 0, 100) == (b"three", True)
    assert list(client.names(folder)) == [b".", b"..", b"a.vhd", b"b.vhd"]
    client.remove(folder, b"a.vhd")
    export.delete("snapshots/7/b.vhd")
    client.remove_directory(client.walk(root, "snapshots"), b"7")
    assert export.list("snapshots") == []
    assert [entry.event for entry in journal if entry.side == "nfs"] == [
        "file created", "file renamed", "file created", "file closed", "file deleted", "file deleted",
        "directory deleted",
    ]  # fmt: skip


def test_a_file_is_created_over_another_never_over_another_or_exactly_once(
    client: Nfs3Client, root: bytes, export: NfsExport
) -> None:
    handle = written(client, root, b"file", b"content")
    assert client.create(root, b"file", UNCHECKED) == handle
    assert client.attributes(handle).size_bytes == 7
    assert client.create(root, b"file", UNCHECKED, setting(size_bytes=3)) == handle
    assert export.read("file") == b"con"
    assert refused(lambda: client.create(root, b"file", GUARDED)) == "EXIST"
    once = client.create(root, b"once", EXCLUSIVE, b"verifier")
    assert client.create(root, b"once", EXCLUSIVE, b"verifier") == once
    assert refused(lambda: client.create(root, b"once", EXCLUSIVE, b"another!")) == "EXIST"
    client.make_directory(root, b"folder")
    assert refused(lambda: client.create(root, b"folder", UNCHECKED)) == "EXIST"
    assert client.attributes(client.create(root, b"mine", GUARDED, setting(mode=0o4600))).mode == 0o600


def test_attributes_are_told_and_set_under_a_guard(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    handle = written(client, root, b"file", b"0123456789")
    found = client.attributes(handle)
    assert (found.kind, found.links, found.size_bytes) == (1, 1, 10)
    assert found.inode == (export.root / "file").stat().st_ino
    seconds, nanoseconds = found.changed
    assert refused(lambda: client.set_attributes(handle, guard=TRUE + uint(seconds, nanoseconds ^ 1))) == "NOT_SYNC"
    client.set_attributes(handle, attributes=setting(size_bytes=4), guard=TRUE + uint(seconds, nanoseconds))
    client.set_attributes(handle, attributes=setting(mode=0o640))
    times = FALSE * 4 + uint(2, 5, 6) + uint(2, 7, 8)
    client.set_attributes(handle, attributes=times)
    now = (export.root / "file").stat()
    assert (now.st_size, stat.S_IMODE(now.st_mode), now.st_atime_ns, now.st_mtime_ns) == (
        4, 0o640, 5_000_000_006, 7_000_000_008,
    )  # fmt: skip
    client.set_attributes(handle, attributes=FALSE * 4 + uint(1) + uint(2, 9, 0))
    assert (export.root / "file").stat().st_mtime_ns == 9_000_000_000
    assert (export.root / "file").stat().st_atime_ns > now.st_atime_ns
    theirs = FALSE + TRUE + uint(now.st_uid + 1) + FALSE * 4
    assert refused(lambda: client.set_attributes(handle, attributes=theirs)) == "PERM"
    assert refused(lambda: client.set_attributes(root, attributes=setting(size_bytes=0))) == "ISDIR"
    assert refused(lambda: client.set_attributes(handle, attributes=setting(size_bytes=2**63))) == "FBIG"


def test_names_are_found_and_the_root_is_the_top(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    inner = client.make_directory(client.make_directory(root, b"outer"), b"inner")
    assert client.look_up(inner, b".") == inner
    assert client.look_up(client.look_up(inner, b".."), b"..") == root
    assert client.look_up(root, b"..") == root
    assert client.mount(b"/export/secondary/outer/inner") == client.walk(root, "outer/inner") == inner
    (export.root / "outer" / "door").symlink_to(export.root.parent / "outside")
    assert refused(lambda: client.mount(b"/export/secondary/outer/door")) == "NOTDIR"
    assert refused(lambda: client.mount(b"/export/secondary/..")) == "INVAL"
    assert refused(lambda: client.mount(b"/export")) == "NOENT"
    assert refused(lambda: client.look_up(root, b"none")) == "NOENT"
    assert refused(lambda: client.look_up(root, b"x" * 256)) == "NAMETOOLONG"
    file = client.create(root, b"file")
    assert refused(lambda: client.look_up(file, b"below")) == "NOTDIR"


def test_access_is_what_can_be_done(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    file = client.create(root, b"file")
    assert (client.access(root), client.access(file), client.access(file, 1)) == (31, 13, 1)
    client.set_attributes(file, attributes=setting(mode=0o755))
    assert client.access(file) == 45
    export.condition = Condition.READ_ONLY
    assert (client.access(root), client.access(file)) == (3, 33)


def test_links_are_made_told_and_never_followed(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    target = str(export.root.parent / "outside" / "secret").encode()
    window = client.symbolic_link(root, b"window", target)
    door = client.symbolic_link(root, b"door", b"../outside")
    assert (client.read_link(window), client.attributes(window).kind) == (target, 5)
    for act in (
        lambda: client.read(window, 0, 10),
        lambda: client.write(window, 0, b"mine"),
        lambda: client.set_attributes(window, attributes=setting(size_bytes=0)),
        lambda: client.read_link(root),
    ):
        assert refused(act) == "INVAL"
    for within in (
        lambda: client.look_up(door, b"secret"),
        lambda: client.create(door, b"new"),
        lambda: client.remove(door, b"secret"),
        lambda: client.rename(door, b"secret", root, b"mine"),
        lambda: list(client.names(door)),
    ):
        assert refused(within) == "NOTDIR"
    client.set_attributes(window, attributes=setting(mode=0o777))
    client.link(window, root, b"second")
    assert client.look_up(root, b"second") == window
    assert refused(lambda: client.create(root, b"window", UNCHECKED)) == "EXIST"
    client.remove(root, b"window")
    client.remove(root, b"second")
    outside = export.root.parent / "outside"
    assert [(path.name, path.read_bytes(), path.stat().st_mode & 0o777) for path in outside.iterdir()] == [
        ("secret", b"secret", 0o644)
    ]


def test_no_name_is_a_way_out(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    file = client.create(root, b"file")
    words = set()
    for name in (b"", b".", b"..", b"../x", b"a/b", b"/etc", b"a\0b", b"a\\b"):
        for act in (
            lambda name=name: client.create(root, name),
            lambda name=name: client.make_directory(root, name),
            lambda name=name: client.symbolic_link(root, name, b"x"),
            lambda name=name: client.link(file, root, name),
            lambda name=name: client.remove(root, name),
            lambda name=name: client.remove_directory(root, name),
            lambda name=name: client.rename(root, b"file", root, name),
            lambda name=name: client.rename(root, name, root, b"x"),
        ):
            words.add(refused(act))
    assert words == {"INVAL", "EXIST", "ACCES"}
    assert sorted(path.name for path in export.root.parent.rglob("*")) == ["export", "file", "outside", "secret"]


def test_names_with_wildcards_mean_themselves(client: Nfs3Client, root: bytes) -> None:
    for name in (b"*", b"a?", b"[ab]", b"ab", b"a", "ü".encode(), b"\xff"):
        written(client, root, name, name)
    client.remove(root, b"*")
    client.remove(root, b"[ab]")
    client.remove(root, b"a?")
    assert sorted(client.names(root)) == [b".", b"..", b"a", b"ab", "ü".encode(), b"\xff"]
    assert refused(lambda: client.remove(root, b"*")) == "NOENT"


def test_pipes_and_sockets_are_made_and_devices_are_not(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    pipe = client.make_node(root, b"pipe", 7, setting(mode=0o600))
    assert client.attributes(pipe).kind == 7
    assert client.attributes(client.make_node(root, b"socket", 6)).kind == 6
    assert refused(lambda: client.read(pipe, 0, 1)) == "INVAL"
    assert refused(lambda: client.make_node(root, b"disk", 3, NO_ATTRIBUTES + uint(8, 1))) == "NOTSUPP"
    assert refused(lambda: client.make_node(root, b"tty", 4, NO_ATTRIBUTES + uint(5, 1))) == "NOTSUPP"
    assert refused(lambda: client.make_node(root, b"file", 1, b"")) == "BADTYPE"
    assert export.inventory() == ("pipe is no file", "socket is no file")


def test_moving_and_removing_refuse_what_a_directory_forbids(client: Nfs3Client, root: bytes) -> None:
    full = client.make_directory(root, b"full")
    client.make_directory(full, b"inner")
    client.create(root, b"file")
    assert {
        "over a full directory": refused(lambda: client.rename(full, b"inner", root, b"full")),
        "into itself": refused(lambda: client.rename(root, b"full", full, b"x")),
        "file over directory": refused(lambda: client.rename(root, b"file", root, b"full")),
        "nothing": refused(lambda: client.rename(root, b"none", root, b"x")),
        "full": refused(lambda: client.remove_directory(root, b"full")),
        "file as directory": refused(lambda: client.remove_directory(root, b"file")),
        "directory as file": refused(lambda: client.remove(root, b"full")),
        "directory linked": refused(lambda: client.link(full, root, b"x")),
    } == {
        "over a full directory": "NOTEMPTY",
        "into itself": "INVAL",
        "file over directory": "ISDIR",
        "nothing": "NOENT",
        "full": "NOTEMPTY",
        "file as directory": "NOTDIR",
        "directory as file": "ISDIR",
        "directory linked": "PERM",
    }


def test_a_handle_follows_its_file_and_goes_stale_with_it(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    export.make_directories("old/deep")
    folder, deep = client.walk(root, "old"), client.walk(root, "old/deep")
    handle = written(client, deep, b"file", b"content")
    export.rename("old", "new")
    assert client.read(handle, 0, 9)[0] == b"content"
    assert client.look_up(client.look_up(deep, b".."), b"..") == root
    client.rename(deep, b"file", folder, b"moved")
    assert client.attributes(handle).size_bytes == 7
    client.link(handle, root, b"second")
    export.delete("new/moved")
    assert client.attributes(handle).links == 1
    export.delete("second")
    export.delete_directory("new/deep")
    (export.root / "another").write_bytes(b"another")  # may well get the same inode number
    other = client.look_up(root, b"another")
    assert {refused(act) for act in (
        lambda: client.attributes(handle),
        lambda: client.read(handle, 0, 1),
        lambda: client.write(handle, 0, b"x"),
        lambda: client.commit(handle),
        lambda: client.access(handle),
        lambda: client.create(deep, b"x"),
        lambda: list(client.names(deep)),
    )} == {"STALE"}  # fmt: skip
    assert client.read(other, 0, 9)[0] == b"another"
    assert refused(lambda: client.attributes(handle[:-1])) == "BADHANDLE"
    assert refused(lambda: client.attributes(b"nonsense" + handle[8:])) == "BADHANDLE"
    assert refused(lambda: client.attributes(handle[:8] + bytes(12))) == "STALE"
    (export.root / "another").unlink()
    assert refused(lambda: client.attributes(other)) == "STALE"


def test_a_handle_follows_its_file_into_a_directory_that_no_client_knows(
    client: Nfs3Client, root: bytes, export: NfsExport
) -> None:
    handle = written(client, root, b"file", b"content")
    export.make_directories("un/known")
    export.rename("file", "un/known/place")
    assert client.read(handle, 0, 9)[0] == b"content"
    assert client.attributes(handle).size_bytes == 7
    assert client.walk(root, "un/known/place") == handle


def test_what_replaces_a_file_behind_the_servers_back_has_another_handle(
    client: Nfs3Client, root: bytes, export: NfsExport
) -> None:
    (export.root / "one").write_bytes(b"1")
    handle = client.look_up(root, b"one")
    (export.root / "one").rename(export.root / "two")
    assert refused(lambda: client.attributes(handle)) == "STALE"
    assert client.read(client.look_up(root, b"two"), 0, 1) == (b"1", True)


def test_a_listing_survives_what_others_do_meanwhile(client: Nfs3Client, root: bytes, export: NfsExport) -> None:
    names = [f"{number:03}-{'x' * 40}" for number in range(100)]
    for name in names:
        (export.root / name).touch()
    for plus in (False, True):
        assert list(client.names(root, bytes_max=1024, plus=plus)) == [b".", b"..", *(n.encode() for n in names)]
    first, verifier, over = client.page(root, bytes_max=1024)
    assert not over
    for name in names[:50]:
        export.delete(name)
    (export.root / "000-new").touch()
    rest: list[tuple[bytes, int]] = []
    while not over:
        entries, verifier, over = client.page(root, (rest or first)[-1][1], verifier, bytes_max=1024)
        rest += entries
    told = [name.decode() for name, _ in first + rest]
    assert len(told) == len(set(told))
    assert set(names[50:]) <= set(told) <= {".", "..", *names, "000-new"}
    assert "000-new" in {name.decode() for name in client.names(root)}
    assert refused(lambda: client.page(root, bytes_max=100)) == "TOOSMALL"
    assert refused(lambda: client.page(root, 5, b"nonsense")) == "BAD_COOKIE"
    empty = client.make_directory(root, b"empty")
    assert list(client.names(empty)) == [b".", b".."]
    assert client.page(empty, 10**18, verifier) == ([], verifier, True)


def test_a_full_export_refuses_bytes_and_counts_what_is_free(
    client: Nfs3Client, root: bytes, export: NfsExport
) -> None:
    export.capacity_bytes = 1000
    first, second = written(client, root, b"first", b"x" * 600), client.create(root, b"second")
    client.write(second, 0, b"x" * 400)
    assert refused(lambda: client.write(second, 400, b"x")) == "NOSPC"
    assert refused(lambda: client.set_attributes(second, attributes=setting(size_bytes=401))) == "NOSPC"
    client.write(second, 0, b"y" * 400)
    assert figures(client, root) == (1000, 0, 0)
    client.remove(root, b"first")
    assert figures(client, root) == (1000, 600, 600)
    export.quota_bytes = 500
    assert figures(client, root) == (500, 100, 100)
    assert refused(lambda: client.write(second, 400, b"x" * 101)) == "DQUOT"
    client.write(second, 400, b"x" * 100)
    assert refused(lambda: client.read(first, 0, 1)) == "STALE"


def figures(client: Nfs3Client, root: bytes) -> tuple[int, int, int]:
    """FSSTAT: bytes in all, free, and free for us."""
    reply = client.nfs(18, opaque(root))
    reply.fixed(88)
    found = reply.hyper(), reply.hyper(), reply.hyper()
    reply.fixed(28)
    reply.end()
    return found


def test_a_file_may_have_holes_and_be_very_long(client: Nfs3Client, root: bytes) -> None:
    handle = client.create(root, b"file")
    client.write(handle, 2**40, b"end", FILE_SYNC)
    assert client.attributes(handle).size_bytes == 2**40 + 3
    assert client.read(handle, 2**40 - 2, 2**20) == (b"\0\0end", True)
    assert client.read(handle, 2**40 + 3, 10) == client.read(handle, 2**63, 10) == (b"", True)
    assert refused(lambda: client.write(handle, 2**63 - 1, b"x")) == "FBIG"
    short = opaque(handle) + hyper(0) + uint(9, UNSTABLE) + opaque(b"x")
    assert refused(lambda: client.nfs(7, short)) == "INVAL"


def test_another_export_behind_the_same_socket_has_other_handles(
    server: NfsServer, client: Nfs3Client, root: bytes, journal: Journal, tmp_path: Path
) -> None:
    handle = written(client, root, b"file", b"old")
    server.present(NfsExport(tmp_path / "outside", journal=journal))
    assert {refused(lambda: client.read(handle, 0, 1)), refused(lambda: client.look_up(root, b"file"))} == {"STALE"}
    assert client.read(client.look_up(client.mount(), b"secret"), 0, 9)[0] == b"secret"
