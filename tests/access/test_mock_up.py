"""The mock-up of the dialogue: what it offers for which volume, and that keyboard and screen reader get everything."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from snapproof.reference_impl.api.commands import COMMANDS

PAGE = Path(__file__).parents[2] / "docs" / "mock-up" / "take-snapshot.html"
CONTROLS = {"input", "select", "textarea", "button"}
VOID = {"meta", "input", "br", "link"}


@dataclass
class Element:
    """One element of a page, with all the text in it."""

    tag: str
    attributes: dict[str, str]
    ancestors: tuple["Element", ...]
    text: str = field(default="", compare=False)


class Outline(HTMLParser):
    """All elements of a page, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        assert not self._open, f"Never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"A {tag} ends what it did not begin."

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """The elements with these tags."""
        return [element for element in self.elements if element.tag in tags]

    def of(self, name: str) -> Element:
        """The one element with an id."""
        (found,) = [element for element in self.elements if element.attributes.get("id") == name]
        return found


@pytest.fixture
def page() -> Outline:
    return Outline(PAGE.read_text(encoding="utf-8"))


@pytest.mark.requirement(id="R-179")
def test_the_place_is_offered_for_managed_volumes_in_vhd_format_only(page: Outline) -> None:
    options = page.all("option")
    offered = {
        (each.attributes["data-managed"], each.attributes["data-format"])
        for each in options
        if each.attributes["data-place-can-be-chosen"] == "yes"
    }
    assert offered == {("yes", "VHD")}
    assert {(each.attributes["data-managed"], each.attributes["data-format"]) for each in options} > offered
    style = page.all("style")[0].text
    assert 'form:not(:has(option[data-place-can-be-chosen="yes"]:checked)) .place { display: none; }' in style
    for name in ("primary", "secondary", "asyncbackup"):
        assert any(above.attributes.get("class") == "place" for above in page.of(name).ancestors), name


@pytest.mark.requirement(id="R-179")
def test_each_place_tells_what_it_means_and_costs(page: Outline) -> None:
    for name in ("primary", "secondary"):
        about = page.of(page.of(name).attributes["aria-describedby"]).text
        assert re.search(r"Place: \w+", about)
        assert re.search(r"Cost: .*\d GiB", about, re.DOTALL)
    warning = page.of("background-warning")
    assert warning.attributes["role"] == "status"
    assert "lost" in warning.text
    style = page.all("style")[0].text
    assert "form:not(:has(#asyncbackup:checked)) #background-warning { display: none; }" in style
    assert "form:not(:has(#secondary:checked)) .background { display: none; }" in style


@pytest.mark.requirement(id="R-179")
def test_keyboard_and_screen_reader_get_everything(page: Outline) -> None:
    assert page.all("html")[0].attributes["lang"]
    labels = {each.attributes["for"]: each.text.strip() for each in page.all("label")}
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for control in page.all(*CONTROLS):
        named = control.text.strip() if control.tag == "button" else labels.get(control.attributes["id"], "")
        assert named, f"{control.attributes} has no label."
    for element in page.elements:
        assert "tabindex" not in element.attributes, "The order of the page is the order of the keys."
        assert not any(name.startswith("on") for name in element.attributes), "Nothing reacts to a mouse alone."
        for name in ("aria-describedby", "aria-labelledby"):
            assert all(part in ids for part in element.attributes.get(name, "").split())
    for radio in (each for each in page.all("input") if each.attributes.get("type") == "radio"):
        (group,) = [above for above in radio.ancestors if above.tag == "fieldset"]
        assert any(each.tag == "legend" and group in each.ancestors for each in page.elements)
    assert ":focus-visible" in page.all("style")[0].text


@pytest.mark.requirement(id="R-179")
def test_what_the_dialogue_would_send_is_what_the_command_takes(page: Outline) -> None:
    sent = {each.attributes["name"] for each in page.all("input", "select") if "name" in each.attributes}
    assert sent <= {each.name for each in COMMANDS["createSnapshot"].parameters}
    assert int(page.of("name").attributes["maxlength"]) == 255


ROOT = PAGE.parents[2]
SHOWN = (
    "docs/mock-up",
    "src/snapproof/commands",
    "src/snapproof/report",
    "fixtures/demonstration.py",
    "simulators/control",
)
"""What people read: pages, commands, reports."""


@pytest.mark.requirement(id="R-129")
def test_sizes_are_shown_in_binary_units(page: Outline) -> None:
    assert re.findall(r"\d+ ([A-Za-z]*B)\b", " ".join(each.text for each in page.all("main"))) == ["GiB"] * 6
    files = [
        path
        for place in SHOWN
        for path in ([ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*")))
        if path.suffix in {".py", ".html", ".jinja"}
    ]
    assert len(files) > 20
    decimal = re.compile(r"(?<![A-Za-z])[kKMGTP]B\b")
    assert [f"{path}: {found}" for path in files if (found := decimal.findall(path.read_text(encoding="utf-8")))] == []
