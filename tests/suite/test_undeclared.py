"""What a driver serves and does not declare is found, without changing anything."""

from pathlib import Path

from snapproof.authoring.undeclared import PROBES, served_all_the_same
from snapproof.driver import NotFoundError, NotSupportedError
from snapproof.drivers.contract import DriverFailedError
from snapproof.fixtures.lab import simulated_lab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import Capability


class Modest:
    """Reverts, resizes nothing, breaks over pools, and declares none of it."""

    def revert_volume(self, *_asked: object) -> None:
        raise NotFoundError("There is no such snapshot.")

    def resize_volume(self, *_asked: object) -> None:
        raise NotSupportedError("Not here.")

    def list_pools(self) -> None:
        raise DriverFailedError("list_pools ended in NotImplementedError.")


def test_a_refusal_of_the_id_shows_that_the_verb_is_served() -> None:
    assert served_all_the_same(Modest(), ()) == {Capability.REVERT: "NotFoundError: There is no such snapshot."}  # type: ignore[arg-type]  # it has three verbs
    assert served_all_the_same(Modest(), {Capability.REVERT}) == {}  # type: ignore[arg-type]  # as above


def test_to_ask_changes_nothing(tmp_path: Path) -> None:
    with simulated_lab(ReferenceDriver, store="nfs", seed=2, directory=tmp_path) as lab:
        before, declared = lab.inventory(), lab.driver.describe().capabilities
        assert served_all_the_same(lab.driver, declared) == {}
        assert served_all_the_same(lab.driver, ()).keys() == PROBES.keys() & declared
        assert before.changes(lab.inventory()) == ()
