"""The same schedule twice is the same journal, to the last byte: in two processes that order sets differently.

Schedules are drawn by lot from all workflows on both stores, with up to three faults. A few are run here;
SNAPPROOF_TWICE says how many are to be run instead, and -rP shows how many were the same.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice, product

import pytest

from snapproof.campaign.exploring import require_clean
from snapproof.campaign.running import Case, run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver

OPEN = lab_opener(ReferenceDriver)
MANY = int(os.environ.get("SNAPPROOF_TWICE", "8"))
FAULTS_MAX = 3
ONCE_MORE = """
import sys
from snapproof.campaign.running import run
from snapproof.campaign.schedule import read_schedule
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
for line in sys.stdin:
    print(run(read_schedule(line), lab_opener(ReferenceDriver)).digest)
"""


def walks(dice: random.Random) -> Iterator[Case]:
    """Run a workflow, then with one fault more, and one more, each drawn from where it could strike; and the next."""
    worlds = list(product(WORKFLOWS, STORES))
    dice.shuffle(worlds)
    each = -(-MANY // (len(worlds) * FAULTS_MAX))
    for workflow, store in cycle(worlds):
        clean = require_clean(run(bare(workflow, store, seed=dice.randrange(1_000)), OPEN))
        yield clean
        for _ in range(each):
            case = clean
            while ahead := list(up_to(FAULTS_MAX)(case)):
                case = run(dice.choice(ahead), OPEN)
                yield case


def once_more(schedules: list[Schedule]) -> list[str]:
    """Run them in another process, whose sets and dictionaries have another order, and give their journals' digests."""
    done = subprocess.run(
        [sys.executable, "-c", ONCE_MORE],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        input="".join(f"{schedule}\n" for schedule in schedules),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _says_one_thing_twice(schedule: Schedule) -> bool:
    """Whether a call may be lost by its own fault that is lost anyway, while its service is down."""
    return {"down", "lost_before"} <= {kind for _, kind in schedule.faults}


@pytest.mark.timeout(0 if MANY > 48 else 300)
def test_the_same_schedule_twice_is_the_same_journal() -> None:
    cases = list(islice(walks(random.Random(MANY)), MANY))
    again = once_more([case.schedule for case in cases])
    different = [str(case.schedule) for case, digest in zip(cases, again, strict=True) if case.digest != digest]
    sys.stdout.write(f"{len(cases) - len(different)} of {len(cases)} schedules gave the same journal twice.\n")
    assert not different
    assert len(cases) == MANY
    told_apart = [case for case in cases if not _says_one_thing_twice(case.schedule)]
    assert len({case.digest for case in told_apart}) == len({case.schedule for case in told_apart})
    assert not [str(case.schedule) for case in cases if case.violations]
