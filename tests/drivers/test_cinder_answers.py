"""What the Cinder bridge says by tables alone: its errors, its version, and which methods are a driver's own."""

from typing import Any

from snapproof.driver import BackendError, NotSupportedError, UnavailableError
from snapproof.drivers.cinder.answers import has_own, translated
from snapproof.drivers.cinder.posts import STATUSES, VERSION
from snapproof.drivers.contract import KINDS
from snapproof.drivers.contract import VERSION as CONTRACT


def test_exceptions_of_drivers_are_told_by_what_cures_them() -> None:
    kinds = [type(translated(error)) for error in (KeyError("x"), TimeoutError("x"), NotImplementedError())]
    assert kinds == [BackendError, UnavailableError, NotSupportedError]


def test_problems_and_version_are_those_of_the_contract() -> None:
    assert {kind.error.__name__: (kind.slug, kind.status) for kind in KINDS} == STATUSES
    assert VERSION == CONTRACT


def test_what_only_calls_a_placeholder_of_its_base_is_no_method_of_the_drivers_own() -> None:
    class RemoteFSSnapDriverBase:
        def _revert_to_snapshot(self) -> None:
            raise NotImplementedError

    class RemoteFSSnapDriver(RemoteFSSnapDriverBase):
        def revert_to_snapshot(self) -> None:
            self._revert_to_snapshot()

    class Reverting(RemoteFSSnapDriver):
        def _revert_to_snapshot(self) -> None:
            """Do it."""

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"It is not set up, so it cannot say whether it has {name}.")

    for kind in (RemoteFSSnapDriverBase, RemoteFSSnapDriver):
        kind.__module__ = "cinder.volume.drivers.remotefs"
    assert not has_own(RemoteFSSnapDriver(), "revert_to_snapshot")
    assert has_own(Reverting(), "revert_to_snapshot")
    assert not has_own(Reverting(), "create_snapshot")
