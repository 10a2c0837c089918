"""How the control API says no: a status, a sentence, and what may have been meant."""

import difflib
from collections.abc import Collection, Iterable


class RefusedError(Exception):
    """The caller asked for something that is not there; `near` is what may have been meant."""

    def __init__(self, status: int, sentence: str, near: Collection[str] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.near = list(near)


def near(word: str, known: Iterable[str]) -> list[str]:
    """Find the words that somebody who wrote this one may have meant."""
    return difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
