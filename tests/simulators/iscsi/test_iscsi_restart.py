"""A served world that begins again: its portals keep their addresses and lead to the clusters of the new world."""

from pathlib import Path
from typing import Any

from snapproof.fixtures.stage import Stage
from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.iscsi import ElementTargets, lead_to, serve_iscsi

HOST = "iqn.1994-05.com.redhat:host1"


def furnish(world: World, number: int) -> str:
    """Give a cluster a volume that the host reaches; name it."""
    array = world.arrays[number]
    account_id = call(array, "AddAccount", username="tenant")["accountID"]
    made = call(array, "CreateVolume", name="disk", accountID=account_id, totalSize=10**9, enable512e=True)
    call(array, "CreateVolumeAccessGroup", name="hosts", initiators=[HOST], volumes=[made["volumeID"]])
    return str(made["volume"]["iqn"])


def test_every_portal_leads_into_the_present_world(initiator_maker: type[Any], tmp_path: Path) -> None:
    def build(seed: int) -> World:
        return World.build(seed=seed, clock=VirtualClock(), directory=tmp_path, clusters=2)

    with Stage(build, seed=1, export=tmp_path) as stage:
        world = stage.world
        portals = [serve_iscsi(ElementTargets(array, journal=world.journal, turn=world.turn)) for array in world.arrays]

        def lead(present: World) -> None:
            for portal, array in zip(portals, present.arrays, strict=True):
                lead_to(portal, ElementTargets(array, journal=present.journal, turn=present.turn))

        stage.always(lead)
        before = [furnish(world, number) for number in range(2)]
        hosts = [initiator_maker(portals[number], target=before[number]).login() for number in range(2)]
        assert all(host.write(0, b"x" * 512).status == 0 for host in hosts)
        stage.restart(seed=2)
        assert all(host.gone() for host in hosts)
        after = [furnish(stage.world, number) for number in range(2)]
        assert set(before).isdisjoint(after)
        again = [initiator_maker(portals[number], target=after[number]).login() for number in range(2)]
        assert all(host.read(0, 1).content == bytes(512) for host in again)
        for portal, array in zip(portals, stage.world.arrays, strict=True):
            assert call(array, "GetClusterInfo")["clusterInfo"]["svip"] == portal.portal
        told = [entry.event for entry in stage.world.journal if entry.side == "iscsi"]
        assert told == ["logged in", "logged in"]
        for portal in portals:
            portal.close()
        for host in (*hosts, *again):
            host.close()
