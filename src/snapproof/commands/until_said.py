"""Ending a pytest session early, when what was waited for has been said. Who says what is its subclasses' affair."""

import pytest


class UntilSaid:
    """A pytest plugin that ends its session once somebody has said certain words; without words it never does."""

    def __init__(self, until: str) -> None:
        self._until = until
        self._session: pytest.Session | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember what can be ended."""
        self._session = session

    def hear(self, said: str) -> None:
        """End the session if these are the words."""
        if self._session and self._until and self._until in said:
            self._session.shouldstop = "Nothing more is to be learned."
