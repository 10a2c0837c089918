"""Variants that bear one fault and not the second or third. No single cell finds them; the table is faults.toml."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.performing import settle_array_snapshot
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.cloning import with_performer


class LooksOnce(ReferenceDriver):
    """Breaks R-001: after a lost answer it looks what is there, but only the first time; then it knows."""

    looks_max = 1

    def rules(self) -> Rules:
        """Count the looks of this life."""
        looks = count()

        def settle(bench: Workbench, effect: fx.TakeArraySnapshot, facts: Facts) -> Facts | None:
            return settle_array_snapshot(bench, effect, facts) if next(looks) < self.looks_max else None

        return Rules(performers=with_performer(fx.TakeArraySnapshot, lambda p: replace(p, settle=settle)))


class LooksTwice(LooksOnce):
    """Breaks R-001: it looks twice, and never a third time."""

    looks_max = 2


class RecoversOnce(ReferenceDriver):
    """Breaks R-081: whoever recovers leaves a mark, and who finds one leaves the work to a life that is dead."""

    recoveries_max = 1

    def reconcile(self) -> None:
        """Recover, unless so many have begun to."""
        with self._marked() as welcome:
            if welcome:
                super().reconcile()

    def run_due_work(self) -> None:
        """Leave it, too."""
        if len(self._mark()) < self.recoveries_max:
            super().run_due_work()

    @contextmanager
    def _marked(self) -> Iterator[bool]:
        marks = self._mark()
        if len(marks) >= self.recoveries_max:
            yield False
            return
        self._path().write_text(f"{marks}x")
        try:
            yield True
        except Exception:
            self._path().unlink()
            raise
        self._path().unlink()

    def _mark(self) -> str:
        return self._path().read_text() if self._path().exists() else ""

    def _path(self) -> Path:
        return self.site.state_directory / "recovering"


class RecoversTwice(RecoversOnce):
    """Breaks R-081: what two lives died of is left alone for good, lest it kills a third."""

    recoveries_max = 2
