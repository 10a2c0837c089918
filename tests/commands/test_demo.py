"""`snapproof demo`: whoever judges agrees with a good driver and not with a bad one, and silence is no praise."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from snapproof import cli
from snapproof.fixtures.demonstration import Act, Chapter, Stage, Trial, demonstrate, judge_restored
from snapproof.fixtures.disks import own_disk
from snapproof.fixtures.guest_log import last_write
from snapproof.fixtures.judges import E2FSCK, OURS, QEMU_IMG, Find, Finding, installed, same_blocks
from snapproof.fixtures.raw_images import read_raw
from snapproof.fixtures.site import STORES
from snapproof.images.formats import ImageFormat, Label, open_image, write_image
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.clock import EPOCH_S
from snapproof.vocabulary import BLOCK_BYTES, Content, LocationType, Volume, VolumeRequest

PATIENCE_S = 60


class Listener:
    """A narrator who keeps quiet."""

    def begin(self, title: str) -> None: ...

    def act(self, act: Act) -> None: ...

    def trial(self, trial: Trial) -> None: ...


class RestoresTheWrongSnapshot(ReferenceDriver):
    """Whatever it is asked for, it restores the oldest snapshot."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        if request.from_snapshot is not None:
            request = replace(request, from_snapshot=self.list_snapshots(location=LocationType.PRIMARY)[0].id)
        return super().create_volume(request)


def nothing_installed(_name: str) -> None:
    return None


def stage(tmp_path: Path, find: Find, *, factory: type[ReferenceDriver] = ReferenceDriver) -> Stage:
    """The shipped disk, which is small, in folders of its own; real time stands still."""
    images, scratch = tmp_path / "images", tmp_path / "scratch"
    images.mkdir()
    scratch.mkdir()
    disk = own_disk(tmp_path / "disk.raw", nothing_installed, scratch=tmp_path, seed=1)
    return Stage(factory=factory, disk=disk, images=images, scratch=scratch, seed=1, find=find, now=lambda: 0.0)


def findings(chapter: Chapter, judge: str) -> set[Finding]:
    return {each.finding for trial in chapter.trials for each in trial.judgements if each.judge == judge}


def required(*names: str) -> None:
    for name in names:
        if installed(name) is None:
            pytest.skip(f"{name} is not installed.")


@pytest.mark.parametrize("store", STORES)
def test_without_tools_our_own_judge_speaks_alone_and_the_others_are_absent(tmp_path: Path, store: str) -> None:
    chapter = demonstrate(stage(tmp_path, nothing_installed), store, Listener())
    assert chapter.agreed
    assert findings(chapter, OURS) == {Finding.AGREES}
    assert findings(chapter, QEMU_IMG) == findings(chapter, E2FSCK) == {Finding.ABSENT}


@pytest.mark.real
@pytest.mark.parametrize("store", STORES)
def test_every_judge_agrees_with_the_reference_driver(tmp_path: Path, store: str) -> None:
    required(QEMU_IMG, E2FSCK)
    chapter = demonstrate(stage(tmp_path, installed), store, Listener())
    assert {judge: findings(chapter, judge) for judge in (OURS, QEMU_IMG, E2FSCK)} == {
        judge: {Finding.AGREES} for judge in (OURS, QEMU_IMG, E2FSCK)
    }


def test_the_guest_writes_before_and_after_the_moment_of_each_snapshot(tmp_path: Path) -> None:
    where = stage(tmp_path, nothing_installed)
    demonstrate(where, "nfs", Listener())
    moments = [
        last_write(read_raw(where.images / f"restored-{name}.raw"), where.disk.log_places)
        for name in ("primary", "secondary")
    ]
    journal = (where.images / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    calls = sum(json.loads(line)["side"] == "call" for line in journal)
    assert 0 < moments[0] < moments[1] < calls / 4


def test_the_wrong_snapshot_is_noticed_by_whoever_compares(tmp_path: Path) -> None:
    chapter = demonstrate(stage(tmp_path, installed, factory=RestoresTheWrongSnapshot), "nfs", Listener())
    (wrong,) = [trial for trial in chapter.trials if not trial.agreed]
    assert wrong.subject == "restored from SECONDARY"
    assert wrong.judgements[0].finding is Finding.DISAGREES
    assert wrong.judgements[1].finding in {Finding.DISAGREES, Finding.ABSENT}
    assert not chapter.agreed


@pytest.mark.parametrize("at", [0, 1080, 3 * BLOCK_BYTES + 17, -1])
def test_one_corrupted_byte_is_enough_for_all_who_compare(tmp_path: Path, at: int) -> None:
    disk = own_disk(tmp_path / "moment.raw", nothing_installed, scratch=tmp_path, seed=1)
    text = bytearray(disk.path.read_bytes())
    text[at] ^= 1
    restored = tmp_path / "restored.raw"
    restored.write_bytes(text)
    ours, qemu_img, _ = judge_restored(disk.content, disk.path, restored, find=installed, doubt=disk.doubt)
    assert (ours.finding, "1 of 2048 blocks differ" in ours.words) == (Finding.DISAGREES, True)
    assert qemu_img.finding is (Finding.DISAGREES if installed(QEMU_IMG) else Finding.ABSENT)


def test_a_disk_that_is_short_of_a_sector_of_zeros_is_not_the_same() -> None:
    assert same_blocks(Content(1024), Content(512)).finding is Finding.DISAGREES


def test_a_judge_that_fails_does_not_agree(tmp_path: Path) -> None:
    chapter = demonstrate(stage(tmp_path, lambda _name: "/bin/false"), "nfs", Listener())
    assert findings(chapter, QEMU_IMG) == {Finding.DISAGREES}
    assert not chapter.agreed


@pytest.mark.parametrize("form", [ImageFormat.QCOW2, ImageFormat.VHD])
def test_a_disk_of_another_format_is_taken_as_what_it_is_declared_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: ImageFormat
) -> None:
    shipped = own_disk(tmp_path / "disk.raw", nothing_installed, scratch=tmp_path, seed=1)
    image = tmp_path / "image"
    with open_image(shipped.path, ImageFormat.RAW) as disk:
        list(write_image(disk, image, form, Label(uuid=UUID(int=1), time_s=EPOCH_S)))
    before = image.read_bytes()
    code, summary = told(capsys, "--store", "nfs", "--disk", str(image), "--disk-format", form)
    assert (code, summary["disk"]["origin"]) == (0, f"given by you as {form}")
    assert summary["disk"]["written_blocks"] == len(shipped.content.blocks)
    assert image.read_bytes() == before
    assert cli.main(["demo", "--store", "nfs", "--disk", str(shipped.path), "--disk-format", form]) == 4
    assert f"cannot be taken as a {form} image" in capsys.readouterr().err


def told(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = cli.main(["demo", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_a_disk_of_the_users_is_read_and_its_guest_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "mine.raw"
    disk.write_bytes(bytes(5 * BLOCK_BYTES) + b"mine" * 128)
    before = disk.read_bytes(), disk.stat().st_mtime_ns
    code, summary = told(capsys, "--store", "s3", "--disk", str(disk))
    assert (code, summary["verdict"], [each["store"] for each in summary["stores"]]) == (0, "agreed", ["s3"])
    assert summary["disk"]["log_blocks"] == 0
    silent = [each for each in judgements(summary) if each["judge"] == E2FSCK]
    assert {each["words"] for each in silent} == {"the disk holds no ext filesystem"}
    assert (disk.read_bytes(), disk.stat().st_mtime_ns) == before


def judgements(summary: Any) -> Sequence[Any]:
    return [each for store in summary["stores"] for trial in store["trials"] for each in trial["judgements"]]


def test_the_same_seed_tells_the_same_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = own_disk(tmp_path / "mine.raw", nothing_installed, scratch=tmp_path, seed=1).path
    digests = [
        told(capsys, "--store", "nfs", "--disk", str(disk), "--seed", seed)[1]["stores"][0]["journal_digest"]
        for seed in ("1", "1", "2")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_disk_that_is_none_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--disk", str(tmp_path / "absent.raw")]) == 4
    assert "There is no file" in capsys.readouterr().err


def test_a_disk_among_what_is_kept_would_be_overwritten_and_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "nfs" / "restored-primary.raw"
    disk.parent.mkdir()
    disk.write_bytes(b"mine" * 128)
    assert cli.main(["demo", "--disk", str(disk), "--keep", str(tmp_path)]) == 4
    assert disk.read_bytes() == b"mine" * 128
    assert "another directory" in capsys.readouterr().err


def command(scratch: Path, *options: str) -> "subprocess.Popen[str]":
    scratch.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", "import sys, snapproof.cli; sys.exit(snapproof.cli.main())", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )


def test_the_command_tells_plainly_keeps_what_it_is_told_and_leaves_nothing_else(tmp_path: Path) -> None:
    scratch, keep = tmp_path / "scratch", tmp_path / "keep"
    with command(scratch, "--keep", str(keep)) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err, "\x1b" in out) == (0, "", False)
    assert "backups on NFS" in out
    assert "backups on S3" in out
    kept = {path.name for path in (keep / "s3").iterdir()}
    restored = {f"{what}-{where}.raw" for what in ("moment", "restored") for where in ("primary", "secondary")}
    assert kept == {"backup.vhd", "journal.jsonl"} | restored
    assert not list(scratch.iterdir())


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    with command(scratch, "--store", "s3") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        code, err = process.wait(PATIENCE_S), process.stderr.read()
    assert (code, "temporary files are removed" in err) == (130, True)
    assert not list(scratch.iterdir())
