"""`snapproof disk`: what a storage engineer types, and what comes of it."""

import hashlib
import json
from pathlib import Path

import pytest

from snapproof.cli import main

MIB = 1 << 20


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "vm.raw"
    path.write_bytes(b"QFI\xfb a lie" + bytes(3 * MIB) + b"end".ljust(512 - len(b"QFI\xfb a lie"), b"\0"))
    return path


def test_an_image_goes_there_and_back_and_compares_equal(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = raw.parent
    for form in ("qcow2", "vhd", "raw"):
        there, back = str(folder / f"there.{form}"), str(folder / f"back-from-{form}.raw")
        assert main(["disk", "convert", "--from", "raw", "--to", form, str(raw), there]) == 0
        assert main(["disk", "convert", "--from", form, "--to", "raw", there, back]) == 0
        assert Path(back).read_bytes() == raw.read_bytes()
        assert main(["disk", "compare", "--from", form, "--to", "raw", there, str(raw)]) == 0
        assert capsys.readouterr().out == "The disks are equal.\n"


def test_images_that_differ_are_told_with_the_first_place(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = raw.parent / "other.raw"
    text = bytearray(raw.read_bytes())
    text[2 * MIB + 5] = 1
    other.write_bytes(text)
    for pair in ((raw, other), (other, raw)):
        assert main(["disk", "compare", "--from", "raw", "--to", "raw", *map(str, pair)]) == 1
        assert capsys.readouterr().out == f"The disks differ at byte {2 * MIB + 5}.\n"
    other.write_bytes(text[: 2 * MIB])
    assert main(["disk", "compare", "--from", "raw", "--to", "raw", str(raw), str(other)]) == 1
    assert capsys.readouterr().out == f"The disks have {3 * MIB + 512} and {2 * MIB} bytes.\n"


def test_the_digest_is_that_of_all_bytes(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(raw.parent / "vm.qcow2")
    main(["disk", "convert", "--from", "raw", "--to", "qcow2", str(raw), target])
    assert main(["disk", "info", "--json", "--sha256", "--from", "qcow2", target]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "format": "qcow2",
        "size_bytes": 3 * MIB + 512,
        "stored_bytes": (64 << 10) + 512,
        "sha256": hashlib.sha256(raw.read_bytes()).hexdigest(),
    }
    assert main(["disk", "info", "--from", "raw", str(raw)]) == 0
    assert capsys.readouterr().out == "size bytes    3146240\nstored bytes  66048\n"


def test_a_target_that_exists_is_not_replaced_unasked(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = raw.parent / "target"
    target.write_bytes(b"precious")
    asked = ["disk", "convert", "--from", "raw", "--to", "vhd", str(raw)]
    assert main([*asked, str(target)]) == 4
    assert f"{target} exists; say --force to replace it." in capsys.readouterr().err
    assert target.read_bytes() == b"precious"
    assert main([*asked, "--force", str(target)]) == 0
    assert main([*asked, "--force", str(raw)]) == 4
    assert f"{raw} exists; it is the source itself." in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["info", "--from", "qcow2", "{raw}"], "cannot be taken as a qcow2 image: It has version"),
    (["info", "--from", "vhd", "{raw}"], "cannot be taken as a vhd image: "),
    (["info", "--from", "raw", "{raw}.absent"], "No such file"),
    (["convert", "--from", "vhd", "--to", "raw", "{raw}", "{raw}.out"], "cannot be taken as a vhd image: "),
])  # fmt: skip
def test_what_is_no_such_image_is_told(
    raw: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["disk", *(part.replace("{raw}", str(raw)) for part in arguments)]) == 4
    said = capsys.readouterr().err
    assert said.startswith("snapproof disk: ")
    assert sentence in said
    assert [path.name for path in raw.parent.iterdir()] == ["vm.raw"]


def test_a_format_must_be_declared_and_known(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["info", str(raw)], ["info", "--from", "vmdk", str(raw)]):
        with pytest.raises(SystemExit):
            main(["disk", *arguments])
    assert "No format of images is called 'vmdk'; there are raw, vhd, qcow2." in capsys.readouterr().err
