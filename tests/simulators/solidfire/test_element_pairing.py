"""Clusters that pair: keys, limits, strangers, and what each side sees of the other."""

from typing import Any

import pytest

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.peers import Peers


def test_both_clusters_of_a_pair_list_each_other(two: tuple[Array, Array]) -> None:
    one, other = two
    started = call(one, "StartClusterPairing")
    assert int(started["clusterPairingKey"], 16)
    (offered,) = call(one, "ListClusterPairs")["clusterPairs"]
    assert (offered["status"], offered["mvip"]) == ("Misconfigured", "")
    completed = call(other, "CompleteClusterPairing", clusterPairingKey=started["clusterPairingKey"])
    for here, there, number in ((one, other, started), (other, one, completed)):
        (pair,) = call(here, "ListClusterPairs")["clusterPairs"]
        assert pair["clusterPairID"] == number["clusterPairID"]
        assert (pair["clusterName"], pair["mvip"], pair["clusterUUID"]) == (there.name, there.mvip, there.uuid)
        assert (pair["status"], pair["latency"]) == ("Connected", 1)
    assert "cluster pair 1 cluster-2" in one.inventory()


def test_a_cluster_of_another_world_pairs_but_is_never_connected(site: Any) -> None:
    here, stranger = site.cluster(1), site.cluster(2, peers=Peers())
    site.pair_clusters(stranger, here)
    (pair,) = call(here, "ListClusterPairs")["clusterPairs"]
    assert (pair["clusterName"], pair["mvip"], pair["status"]) == ("cluster-2", "192.0.2.2", "Misconfigured")
    key = call(stranger, "StartVolumePairing", volumeID=site.volume(stranger))["volumePairingKey"]
    target = site.volume(here, access="replicationTarget")
    assert site.refusal(lambda: call(here, "CompleteVolumePairing", volumeID=target, volumePairingKey=key)) == (
        "xMVIPNotPaired"
    )


def test_a_pair_is_misconfigured_where_it_was_not_removed_and_disconnected_while_cut_off(
    site: Any, paired: tuple[Array, Array]
) -> None:
    one, other = paired
    other.cut_off()
    assert [call(a, "ListClusterPairs")["clusterPairs"][0]["status"] for a in paired] == ["Disconnected"] * 2
    other.reconnect()
    call(one, "RemoveClusterPair", clusterPairID=1)
    assert call(one, "ListClusterPairs") == {"clusterPairs": []}
    (left,) = call(other, "ListClusterPairs")["clusterPairs"]
    assert left["status"] == "Misconfigured"
    call(other, "RemoveClusterPair", clusterPairID=left["clusterPairID"])
    site.pair_clusters(one, other)
    assert call(one, "ListClusterPairs")["clusterPairs"][0]["status"] == "Connected"


def test_no_more_than_four_pairs(site: Any) -> None:
    hub = site.cluster(1)
    for number in range(2, 6):
        site.pair_clusters(hub, site.cluster(number))
    before = site.remembered(hub)
    assert site.refusal(lambda: call(hub, "StartClusterPairing")) == "xExceededLimit"
    assert site.remembered(hub) == before


@pytest.mark.parametrize("key", ["", "zz", "00", b'{"a":1}'.hex(), b"null".hex()])
def test_what_no_cluster_wrote_is_no_key(site: Any, paired: tuple[Array, Array], key: str) -> None:
    one, _ = paired
    number = site.volume(one)
    before = site.remembered(one)
    wanted = "xInvalidPairingKey" if key else "xMissingParameter"
    assert site.refusal(lambda: call(one, "CompleteClusterPairing", clusterPairingKey=key)) == wanted
    assert site.refusal(lambda: call(one, "CompleteVolumePairing", volumeID=number, volumePairingKey=key)) == wanted
    assert site.remembered(one) == before


def test_keys_are_used_once_by_another_cluster_and_never_after_they_were_taken_back(site: Any) -> None:
    one, other, third = site.cluster(1), site.cluster(2), site.cluster(3)
    started = call(one, "StartClusterPairing")
    key = started["clusterPairingKey"]
    assert site.refusal(lambda: call(one, "CompleteClusterPairing", clusterPairingKey=key)) == "xInvalidPairingKey"
    call(other, "CompleteClusterPairing", clusterPairingKey=key)
    before = site.remembered(one, other, third)
    assert site.refusal(lambda: call(other, "CompleteClusterPairing", clusterPairingKey=key)) == "xPairingAlreadyExists"
    assert site.refusal(lambda: call(third, "CompleteClusterPairing", clusterPairingKey=key)) == "xInvalidPairingKey"
    assert site.remembered(one, other, third) == before
    again = call(one, "StartClusterPairing")
    assert site.refusal(
        lambda: call(other, "CompleteClusterPairing", clusterPairingKey=again["clusterPairingKey"])
    ) == ("xPairingAlreadyExists")
    call(one, "RemoveClusterPair", clusterPairID=again["clusterPairID"])
    assert site.refusal(
        lambda: call(third, "CompleteClusterPairing", clusterPairingKey=again["clusterPairingKey"])
    ) == ("xInvalidPairingKey")
