"""The page of states is what the tables say by now, with every transition in the diagram and in the words."""

from pathlib import Path

import pytest

from snapproof.reference_impl.picturing import PICTURES, Picture, page

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_published_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Write it again: python -m snapproof.reference_impl.picturing."


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.title)
def test_every_transition_is_drawn_and_said_once(picture: Picture) -> None:
    _, _, section = page().partition(f"## {picture.title}\n")
    section = section.partition("\n## ")[0]
    for (before, event), after in picture.table.items():
        assert section.count(f"    {before} --> {after}: {event}\n") == 1
        assert section.count(f"| {before} | {event} | {after} |\n") == 1
