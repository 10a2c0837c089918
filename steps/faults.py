"""Faults: armed for one call, for a whole service, or at every boundary in turn; and what a driver does about them."""

from itertools import pairwise

from pytest_bdd import given, parsers, then, when

from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.lab import Lab
from snapproof.steps.scene import Scene, refusal_of
from snapproof.vocabulary import LocationType, SnapshotRequest

SECONDS = {"seconds": 1, "hours": 3_600}


@given(parsers.parse("the array refuses every {method} with {error}"))
def the_array_refuses_every(lab: Lab, method: str, error: str) -> None:
    """The array answers every such call with an error of its own and does nothing, until it is repaired."""
    lab.watch_calls()
    lab.break_service(f"array.{method}", f"refused:{error}")


@given(parsers.parse("the call {call} meets the fault {fault}"))
def a_call_meets_a_fault(lab: Lab, call: str, fault: str) -> None:
    """Arm one fault for one call, as `array.CloneVolume#1` and `lost_after`; calls count from here."""
    lab.watch_calls()
    lab.arm(call, fault)


@given(parsers.parse("every call {call} meets the fault {fault}"))
def every_call_meets_a_fault(lab: Lab, call: str, fault: str) -> None:
    """Arm a fault for every call of a `service.method` from here on, until everything is repaired."""
    lab.watch_calls()
    lab.break_service(call, fault)


@given(parsers.parse("beside it every call {call} meets {fault}"))
def every_call_meets_a_fault_too(lab: Lab, call: str, fault: str) -> None:
    """Arm another fault beside the ones that are armed; calls are counted on."""
    lab.break_service(call, fault)


@given(parsers.parse("the array accepts the next clone and fails it with {error}"))
def the_array_fails_the_next_clone(lab: Lab, error: str) -> None:
    """The call succeeds; the error stands in what is asked for later."""
    lab.doom_next_clone(error)


@given(parsers.parse("from now on the {work} of the array go on for ever"))
@given(parsers.parse("from now on the {work} of the hosts go on for ever"))
def work_goes_on_for_ever(lab: Lab, work: str) -> None:
    """Work that was begun never ends by itself, until everything is repaired."""
    lab.stall(work)


@given(parsers.parse("from now on each call of the {service} takes {seconds:g} seconds"))
def each_call_takes(lab: Lab, service: str, seconds: float) -> None:
    """A service that is far away, or busy, until everything is repaired."""
    lab.slow_down(service, seconds)


@given(parsers.parse('the export has room for half of the copy of "{name}"'))
def the_export_has_room(lab: Lab, scene: Scene, name: str) -> None:
    """Another copy like this one does not fit any more, until everything is repaired."""
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.SECONDARY]
    lab.leave_space(copy.physical_size_bytes // 2)


@then(parsers.parse("the act was over within {number:d} {unit}"))
def the_act_was_over_within(scene: Scene, number: int, unit: str) -> None:
    """Measured on the lab's clock."""
    took_s, most_s = scene.ended_s - scene.began_s, number * SECONDS[unit]
    assert took_s <= most_s, f"The act took {took_s:.1f} s; {most_s} are allowed."


@then("the act has succeeded")
def the_act_has_succeeded(scene: Scene) -> None:
    """The driver did it."""
    scene.outcome.raise_if_failed()


@then(parsers.parse('the backup of "{name}" has succeeded, or the error names the stale mount of host {number:d}'))
@then(parsers.parse('the volume "{name}" has been made, or the error names the stale mount of host {number:d}'))
def succeeded_or_names_the_mount(lab: Lab, scene: Scene, name: str, number: int) -> None:
    """Somebody who reads the error knows what to mend, and where."""
    if scene.outcome.error is None:
        scene.outcome.raise_if_failed()
        return
    said, host = str(scene.outcome.error), lab.host_name(number)
    assert "stale" in said, f'What stood in the way of "{name}" is not told: {said}'
    assert host in said, f"The host with the stale mount is not told: {said}"


@then(parsers.parse("the array was called at most {number:d} times"))
def the_array_was_called_at_most(lab: Lab, number: int) -> None:
    """Counted since the last count began."""
    calls = [call for call in lab.calls() if call.startswith("array.")]
    assert len(calls) <= number, f"The array was called {len(calls)} times: {', '.join(calls)}."


@when("everything is repaired")
def everything_is_repaired(lab: Lab) -> None:
    """Take every fault away."""
    lab.repair()


@when("the driver is restarted")
def the_driver_is_restarted(lab: Lab) -> None:
    """Kill the driver's life if it still lives, start the next one on the same state, and let it reconcile."""
    lab.restart_driver()


@then("the act is refused")
def the_act_is_refused(scene: Scene) -> None:
    """The driver said no with an error of its port; it did not die, did not break, and did not pretend."""
    refusal_of(scene.outcome)


@then(parsers.parse('the act is refused, saying "{words}"'))
def the_act_is_refused_saying(scene: Scene, words: str) -> None:
    """The driver said no, and its message tells why in these words among others."""
    the_act_is_refused(scene)
    assert words in str(scene.outcome.error), f"The driver only said: {scene.outcome.error}"


@then(parsers.parse('the act is refused as the caller\'s mistake, saying "{words}"'))
def the_act_is_refused_as_a_mistake(scene: Scene, words: str) -> None:
    """The driver blames the request, and its message tells why in these words among others."""
    the_act_is_refused(scene)
    error = scene.outcome.error
    assert isinstance(error, InvalidRequestError), f"The driver blamed somebody else: {type(error).__name__}: {error}"
    the_act_is_refused_saying(scene, words)


@then("the act is refused as a parameter error")
def the_act_is_refused_as_a_parameter_error(scene: Scene) -> None:
    """The driver blames what it was asked for: illegal, or not there."""
    the_act_is_refused(scene)
    error = scene.outcome.error
    assert isinstance(error, InvalidRequestError | NotFoundError), f"The driver said {type(error).__name__}: {error}"


@given("calls are counted from here")
def calls_are_counted(lab: Lab) -> None:
    """What was called so far was arrangement."""
    lab.watch_calls()


@then("nobody was called")
def nobody_was_called(lab: Lab) -> None:
    """Neither array, hosts and stores nor the driver's own catalog were asked to do anything."""
    assert not lab.calls(), f"The driver called {', '.join(lab.calls())}."


@then(parsers.parse("the call {call} was made {number:d} times"))
def the_call_was_made(lab: Lab, call: str, number: int) -> None:
    """Counted since the fault was armed."""
    assert len(lab.moments_of(call)) == number, f"{call} was called {len(lab.moments_of(call))} times."


@then(parsers.parse("the call {call} was made {least:d} to {most:d} times, after pauses that varied"))
def the_call_was_made_with_varying_pauses(lab: Lab, call: str, least: int, most: int) -> None:
    """Counted since the fault was armed; no two pauses are alike, and none is a round number of half seconds."""
    calls, pauses = len(lab.moments_of(call)), lab.pauses_of(call)
    assert least <= calls <= most, f"{call} was called {calls} times."
    assert len(set(pauses)) == len(pauses), f"The pauses were {pauses}."
    assert not any((2 * pause).is_integer() for pause in pauses), f"The pauses were {pauses}."


@then(parsers.parse("the call {call} was made {number:d} times, after pauses that grew"))
def the_call_was_made_with_growing_pauses(lab: Lab, call: str, number: int) -> None:
    """Counted since the fault was armed; each pause is longer than the one before."""
    calls, pauses = len(lab.moments_of(call)), lab.pauses_of(call)
    assert calls == number, f"{call} was called {calls} times."
    assert all(later > earlier for earlier, later in pairwise(pauses)), f"The pauses were {pauses}."


@when(parsers.parse('backups of "{volume}" are asked for until {call} was made {number:d} times'))
def backups_until(lab: Lab, scene: Scene, volume: str, call: str, number: int) -> None:
    """Ask again and again, whatever the answer is; remember how often the call was made in all."""
    for _ in range(number):
        if len(lab.moments_of(call)) < number:
            _back_up(lab, scene, volume)
    assert len(lab.moments_of(call)) >= number, f"{call} was called {len(lab.moments_of(call))} times only."
    scene.calls_before = len(lab.moments_of(call))


@when(parsers.parse('backups of "{volume}" are asked for {number:d} times more'))
def backups_more(lab: Lab, scene: Scene, volume: str, number: int) -> None:
    """Ask again so often, whatever the answer is."""
    for _ in range(number):
        _back_up(lab, scene, volume)


@then(parsers.parse("the call {call} was made at most {number:d} times more"))
def the_call_was_made_at_most(lab: Lab, scene: Scene, call: str, number: int) -> None:
    """Counted from where somebody last counted."""
    more = len(lab.moments_of(call)) - scene.calls_before
    assert more <= number, f"{call} was called {more} times more."


def _back_up(lab: Lab, scene: Scene, volume: str) -> None:
    request = SnapshotRequest(
        operation=scene.operation(), volume=scene.volume(volume).id, location=LocationType.SECONDARY
    )
    scene.act(lab, lambda driver: driver.take_snapshot(request))


@then("the driver has died")
def the_driver_has_died(scene: Scene) -> None:
    """The armed crash has struck."""
    assert scene.outcome.crashed, "The driver is still alive: the crash did not strike."


@when("the driver dies at what is due")
def the_driver_dies_at_due_work(lab: Lab) -> None:
    """Let the driver do what it does without a caller; the armed crash must strike there."""
    assert lab.attempt(lambda driver: driver.run_due_work()).crashed, "The driver survived: the crash did not strike."
