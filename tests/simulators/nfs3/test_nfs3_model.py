"""Random work through both doors at once, against a dictionary: what is there, what it holds, what a reboot leaves."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from snapproof.fixtures.nfs3_client import GUARDED, Nfs3Client, setting
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import serve_nfs
from snapproof.simulators.secondary.nfs3.statuses import StatusError

FOLDERS = ("", "a", "a/b", "c")
FILES = st.sampled_from([f"{folder}/{name}".lstrip("/") for folder in FOLDERS for name in ("x", "y")])
TAKEN = st.sampled_from(FOLDERS[1:])


class Doors(RuleBasedStateMachine):
    """`seen` is what every reader sees, `durable` what a reboot leaves, by path; directories are in `folders`."""

    @initialize()
    def open_doors(self) -> None:
        self.place = tempfile.TemporaryDirectory(prefix="snapproof-")
        self.export = NfsExport(Path(self.place.name), journal=Journal(VirtualClock().time))
        self.server = serve_nfs(self.export)
        self.client = Nfs3Client(self.server.host, self.server.port)
        self.root = self.client.mount()
        self.seen: dict[str, bytes] = {}
        self.durable: dict[str, bytes] = {}
        self.handles: dict[str, bytes] = {}
        self.folders = {""}

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.client.close()
            self.server.close()
            self.place.cleanup()

    def at(self, path: str) -> tuple[bytes, bytes]:
        """The handle of the directory, looked up anew, and the name in it."""
        folder, _, name = path.rpartition("/")
        return (self.client.walk(self.root, folder) if folder else self.root), name.encode()

    def there(self, path: str) -> bool:
        return path.rpartition("/")[0] in self.folders

    def does(self, act: Callable[[], object], *, legal: bool) -> bool:
        """Do something that must succeed exactly when it is legal."""
        try:
            act()
        except (StatusError, OSError):
            assert not legal
            return False
        assert legal
        return True

    @rule(path=TAKEN, inside=st.booleans())
    def make_folder(self, path: str, *, inside: bool) -> None:
        legal = self.there(path) and path not in self.folders
        if inside and legal:
            self.export.make_directories(path)
        elif not inside:
            self.does(lambda: self.client.make_directory(*self.at(path)), legal=legal)
        if legal:
            self.folders.add(path)

    @rule(path=TAKEN, inside=st.booleans())
    def delete_folder(self, path: str, *, inside: bool) -> None:
        empty = not any(other.startswith(f"{path}/") for other in {*self.seen, *self.folders})
        legal = path in self.folders and empty
        if self.does(
            lambda: self.export.delete_directory(path) if inside else self.client.remove_directory(*self.at(path)),
            legal=legal,
        ):
            self.folders.discard(path)

    @rule(path=FILES)
    def create(self, path: str) -> None:
        def act() -> None:
            self.handles[path] = self.client.create(*self.at(path), GUARDED)

        if self.does(act, legal=self.there(path) and path not in self.seen):
            self.seen[path] = self.durable[path] = b""

    @rule(path=FILES, content=st.binary(max_size=30))
    def write_inside(self, path: str, content: bytes) -> None:
        def act() -> None:
            file = self.export.create(path)
            file.write(content)
            file.close()

        if self.does(act, legal=self.there(path) and path not in self.seen):
            self.seen[path] = self.durable[path] = content
            self.handles.pop(path, None)

    @rule(
        path=FILES, offset=st.integers(0, 40), content=st.binary(min_size=1, max_size=30), how=st.sampled_from([0, 2])
    )
    def write(self, path: str, offset: int, content: bytes, how: int) -> None:
        if path in self.seen:
            handle = self.handles.get(path) or self.client.look_up(*self.at(path))
            self.handles[path] = handle
            self.client.write(handle, offset, content, how)
            old = self.seen[path].ljust(offset, b"\0")
            self.seen[path] = old[:offset] + content + old[offset + len(content) :]
            if how:
                self.durable[path] = self.seen[path]

    @rule(path=FILES)
    def commit(self, path: str) -> None:
        if path in self.handles:
            self.client.commit(self.handles[path])
            self.durable[path] = self.seen[path]

    @rule(path=FILES, size=st.integers(0, 50))
    def resize(self, path: str, size: int) -> None:
        if path in self.handles:
            self.client.set_attributes(self.handles[path], attributes=setting(size_bytes=size))
            self.seen[path] = self.durable[path] = self.seen[path][:size].ljust(size, b"\0")

    @rule(path=FILES, inside=st.booleans())
    def delete(self, path: str, *, inside: bool) -> None:
        if self.does(
            lambda: self.export.delete(path) if inside else self.client.remove(*self.at(path)), legal=path in self.seen
        ):
            for memory in (self.seen, self.durable):
                del memory[path]
            if handle := self.handles.pop(path, None):
                assert not self.does(lambda: self.client.attributes(handle), legal=False)

    @rule(source=FILES, goal=FILES, inside=st.booleans())
    def rename(self, source: str, goal: str, *, inside: bool) -> None:
        legal = source in self.seen and self.there(goal)
        act = (
            (lambda: self.export.rename(source, goal))
            if inside
            else (lambda: self.client.rename(*self.at(source), *self.at(goal)))
        )
        if self.does(act, legal=legal) and source != goal:
            for memory in (self.seen, self.durable, self.handles):
                memory.pop(goal, None)
                if source in memory:
                    memory[goal] = memory.pop(source)

    @precondition(lambda self: self.seen != self.durable)
    @rule()
    def reboot(self) -> None:
        self.export.reboot()
        self.seen = dict(self.durable)

    @invariant()
    def both_doors_show_what_is_there(self) -> None:
        if not hasattr(self, "place"):
            return
        assert {path: self.export.read(path) for path in self.export.paths()} == self.seen
        for path, handle in self.handles.items():
            assert self.client.read(handle, 0, 1000) == (self.seen[path], True)
        for folder in self.folders:
            handle = self.client.walk(self.root, folder) if folder else self.root
            listed = {name.decode() for name in self.client.names(handle, bytes_max=256)} - {".", ".."}
            inside = {name.rstrip("/") for name in self.export.list(folder)}
            assert listed == inside


TestDoors = Doors.TestCase
TestDoors.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
