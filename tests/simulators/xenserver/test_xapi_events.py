"""Clients that wait: event.from with its tokens, event.next with its registrations, messages, and paced tasks."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import transition_named

A = "iqn.2010-01.com.array:a"
NULL = "OpaqueRef:NULL"


def listen(world: Any, token: str = "", classes: tuple[str, ...] = ("*",), timeout_s: float = 0.0) -> Any:
    return world.ask("event.from", list(classes), token, timeout_s)


def told(batch: Any) -> list[tuple[str, str, str]]:
    return [(event["operation"], event["class"], event["ref"]) for event in batch["events"]]


def refusal(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refused:
        world.ask(name, *arguments)
    return list(refused.value.description)


def test_the_first_batch_tells_of_everything_once(world: Any) -> None:
    batch = listen(world)
    refs = [ref for _, _, ref in told(batch)]
    assert len(refs) == len(set(refs))
    assert {"pool", "host", "sm", "network", "pif", "host_metrics"} == {kind for _, kind, _ in told(batch)}
    assert {operation for operation, _, _ in told(batch)} == {"add"}
    assert told(listen(world, batch["token"])) == []
    for event in batch["events"]:
        kind = next(
            name for name in ("pool", "host", "SM", "network", "PIF", "host_metrics") if name.lower() == event["class"]
        )
        assert event["snapshot"] == world.ask(f"{kind}.get_record", event["ref"])
        assert event["obj_uuid"] == event["snapshot"]["uuid"]


def test_an_object_is_told_as_it_comes_changes_and_goes(world: Any) -> None:
    token = listen(world)["token"]
    vm = world.ask("VM.create", {"name_label": "web"})
    batch = listen(world, token, ("vm",))
    assert told(batch) == [("add", "vm", vm)]
    world.ask("VM.set_name_label", vm, "db")
    world.ask("VM.add_to_other_config", vm, "k", "v")
    changed = listen(world, batch["token"], ("VM",))
    assert told(changed) == [("mod", "vm", vm)]
    assert changed["events"][0]["snapshot"]["name_label"] == "db"
    world.ask("VM.destroy", vm)
    gone = listen(world, changed["token"], (f"VM/{vm}",))
    assert told(gone) == [("del", "vm", vm)]
    assert "snapshot" not in gone["events"][0]
    assert told(listen(world, token, ("VM",))) == [], "who never heard of it does not hear that it went"


def test_counts_are_those_of_the_classes_that_are_followed(world: Any) -> None:
    batch = listen(world, classes=("host", "task"))
    assert batch["valid_ref_counts"] == {"host": "2", "task": "0"}
    world.ask("task.create", "a", "b")
    assert listen(world, batch["token"], ("task",))["valid_ref_counts"] == {"task": "1"}


def test_nothing_to_tell_lets_the_time_pass_that_the_client_gives(world: Any) -> None:
    token = listen(world)["token"]
    before = world.clock.time()
    assert told(listen(world, token, timeout_s=30.5)) == []
    assert world.clock.time() - before == pytest.approx(30.5)
    assert told(listen(world, timeout_s=30.5)) != []
    assert world.clock.time() - before == pytest.approx(30.5)


def test_a_client_that_only_waits_sees_its_copy_end(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    vdi = world.ask("VDI.create", {"name_label": "disk", "SR": sr, "virtual_size": str(24 * world.mib)})
    for offset in range(0, 24, 2):
        world.fabric.luns[A].write((4 + offset) * world.mib, b"x" * 4096)
    folder = world.open_folder()
    token = listen(world)["token"]
    task = world.ask("Async.VDI.copy", vdi, folder)
    seen: list[str] = []
    while not seen or seen[-1] == "pending":
        batch = listen(world, token, ("task",), 60.0)
        token = batch["token"]
        seen += [event["snapshot"]["status"] for event in batch["events"] if event["ref"] == task]
    assert seen[0] == "pending"
    assert seen[-1] == "success"
    assert len(seen) > 3


@pytest.mark.parametrize("token", ["x", "1", "00000000000000000001", "-0000000000000000001,00000000000000000000"])
def test_a_token_that_is_none_is_refused(world: Any, token: str) -> None:
    assert refusal(world, "event.from", ["*"], token, 1.0) == ["EVENT_FROM_TOKEN_PARSE_FAILURE", token]


@pytest.mark.parametrize("word", ["", "VM/", "/x", "VM/a/b"])
def test_a_subscription_that_is_none_is_refused(world: Any, word: str) -> None:
    calls: tuple[tuple[Any, ...], ...] = (
        ("event.from", [word], "", 1.0),
        ("event.register", [word]),
        ("event.unregister", [word]),
    )
    for name, *arguments in calls:
        assert refusal(world, name, *arguments) == ["EVENT_SUBSCRIPTION_PARSE_FAILURE", word]


def test_an_injected_event_is_heard_by_all_but_who_injected_it(world: Any) -> None:
    (pool,) = world.ask("pool.get_all")
    other = listen(world)["token"]
    own = world.ask("event.inject", "POOL", pool)
    assert told(listen(world, own)) == []
    assert told(listen(world, other)) == [("mod", "pool", pool)]
    assert other < own == listen(world)["token"]
    assert int(own.partition(",")[0]) == int(world.ask("event.get_current_id"))
    assert refusal(world, "event.inject", "VM", NULL) == ["HANDLE_INVALID", "VM", NULL]
    assert refusal(world, "event.inject", "session", world.session)[0] == "HANDLE_INVALID"


def test_the_old_way_needs_a_registration_and_tells_what_came_after_it(world: Any) -> None:
    assert refusal(world, "event.next")[0] == "SESSION_NOT_REGISTERED"
    world.ask("event.register", ["VM", "task"])
    vm = world.ask("VM.create", {"name_label": "web"})
    world.ask("SR.introduce", "0c0ffee0-0000-4000-8000-000000000001", "l", "", "file", "user", True)
    assert [(event["operation"], event["ref"]) for event in world.ask("event.next")] == [("add", vm)]
    before = world.clock.time()
    assert world.ask("event.next") == []
    assert world.clock.time() - before == pytest.approx(30.0)
    world.ask("event.unregister", ["VM", "task"])
    assert refusal(world, "event.next")[0] == "SESSION_NOT_REGISTERED"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(steps=st.lists(st.sampled_from(["make", "name", "destroy", "listen"]), max_size=20))
def test_whoever_follows_from_the_beginning_always_knows_what_there_is(world: Any, steps: list[str]) -> None:
    token, known = "", dict[str, Any]()
    made = world.ask("VM.get_all")
    for number, step in enumerate([*steps, "listen"]):
        if step == "make":
            made.append(world.ask("VM.create", {"name_label": "x"}))
        elif step == "name" and made:
            world.ask("VM.set_name_label", made[-1], f"x{number}")
        elif step == "destroy" and made:
            world.ask("VM.destroy", made.pop(0))
        elif step == "listen":
            batch = listen(world, token, ("VM",))
            token = batch["token"]
            for event in batch["events"]:
                known.pop(event["ref"], None)
                if event["operation"] != "del":
                    known[event["ref"]] = event["snapshot"]
            assert known == world.ask("VM.get_all_records")


def test_messages_are_left_found_and_taken_away(world: Any) -> None:
    (pool,) = world.ask("pool.get_all")
    uuid = world.ask("pool.get_uuid", pool)
    first = world.ask("message.create", "EARLY", "5", "Pool", uuid, "body")
    world.clock.advance(60)
    late = world.ask("message.create", "LATE", "1", "pool", uuid, "body")
    record = world.ask("message.get_record", late)
    assert (record["name"], record["priority"], record["cls"]) == ("LATE", "1", "Pool")
    assert set(world.ask("message.get_since", "20260101T00:01:00Z")) == {late}
    assert set(world.ask("message.get", "Pool", uuid, "20260101T00:00:00Z")) == {first, late}
    assert world.ask("message.get", "VM", uuid, "20260101T00:00:00Z") == {}
    assert world.ask("message.get_by_uuid", record["uuid"]) == late
    assert refusal(world, "message.create", "N", "1", "VM", uuid, "")[:2] == ["UUID_INVALID", "VM"]
    assert ("add", "message", late) in told(listen(world))
    world.ask("message.destroy", late)
    world.ask("message.destroy_many", [first])
    assert world.ask("message.get_all") == []


def test_a_paced_task_can_be_watched_and_nothing_has_happened_before_its_time(world: Any) -> None:
    world.pool.pace("SR.introduce", transition_named("timed 10"))
    uuid = "0c0ffee0-0000-4000-8000-000000000001"
    task = world.ask("Async.SR.introduce", uuid, "l", "", "file", "user", True)
    assert world.ask("task.get_status", task) == "pending"
    world.clock.advance(5)
    assert world.ask("task.get_progress", task) == pytest.approx(0.5)
    assert world.ask("SR.get_all") == []
    world.clock.advance(5)
    record = world.ask("task.get_record", task)
    assert (record["status"], record["progress"]) == ("success", 1.0)
    assert world.ask("SR.get_by_uuid", uuid) == record["result"].removeprefix("<value>").removesuffix("</value>")


def test_a_paced_task_that_is_cancelled_never_happens(world: Any) -> None:
    world.pool.pace("SR.introduce", transition_named("polled 3"))
    task = world.ask("Async.SR.introduce", "0c0ffee0-0000-4000-8000-000000000001", "l", "", "file", "user", True)
    assert world.ask("task.get_status", task) == "pending"
    assert world.ask("task.get_allowed_operations", task) == ["cancel"]
    world.ask("task.cancel", task)
    assert world.ask("task.get_status", task) == "cancelled"
    assert world.ask("task.get_error_info", task) == ["TASK_CANCELLED", task]
    assert refusal(world, "task.cancel", task)[0] == "OPERATION_NOT_ALLOWED"
    world.clock.advance(1000)
    world.pool.advance_tasks()
    assert world.ask("SR.get_all") == []


def test_a_paced_task_goes_on_for_whoever_looks_and_without_anybody(world: Any) -> None:
    world.pool.pace("SR.introduce", transition_named("polled 2"))
    arguments = ("l", "", "file", "user", True)
    task = world.ask("Async.SR.introduce", "0c0ffee0-0000-4000-8000-000000000001", *arguments)
    states = [world.ask("task.get_status", task) for _ in range(3)]
    assert states == ["pending", "pending", "success"]
    left = world.ask("Async.SR.introduce", "0c0ffee0-0000-4000-8000-000000000002", *arguments)
    world.ask("task.destroy", left)
    world.pool.advance_tasks()
    assert len(world.ask("SR.get_all")) == 2
    with pytest.raises(ValueError, match="no call"):
        world.pool.pace("SR.frobnicate", transition_named("polled 2"))


def test_what_goes_wrong_in_a_task_is_its_failure_and_a_wrong_type_is_not(world: Any) -> None:
    task = world.ask("Async.SR.scan", NULL)
    record = world.ask("task.get_record", task)
    assert (record["status"], record["error_info"]) == ("failure", ["HANDLE_INVALID", "SR", NULL])
    assert refusal(world, "Async.SR.scan", 7)[0] == "FIELD_TYPE_ERROR"


def test_a_client_keeps_a_task_of_its_own(world: Any) -> None:
    task = world.ask("task.create", "export", "of my own")
    world.ask("task.set_progress", task, 0.25)
    assert world.ask("task.get_progress", task) == 0.25
    world.ask("task.set_result", task, "done")
    world.ask("task.set_status", task, "success")
    record = world.ask("task.get_record", task)
    assert (record["status"], record["result"], record["name_description"]) == ("success", "done", "of my own")
    assert refusal(world, "task.set_status", task, "cancelling")[0] == "VALUE_NOT_SUPPORTED"
