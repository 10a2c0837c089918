"""Who gets in: every way to come, against every way in which a cluster lets hosts in or keeps them out."""

from typing import Any

import pytest

from snapproof.simulators.iscsi import chap

HOST = "iqn.1994-05.com.redhat:host1"
STRANGER = "iqn.1994-05.com.redhat:stranger"
SECRET, OWN_SECRET, WRONG = "initiator-sec", "target-secret", "wrong-secret!"
HOSTS_SECRET, HOSTS_OWN_SECRET = "hosts-secret-1", "hosts-secret-2"
IN, FAILED, FORBIDDEN, MISSING = 0, 0x0201, 0x0202, 0x0203

COMING = {
    "a host of the group, as it is": {},
    "a host of the group, in capitals": {"name": HOST.upper()},
    "a host of the group, with the account's secret": {"chap": ("tenant", SECRET)},
    "a host of the group, with a wrong secret": {"chap": ("tenant", WRONG)},
    "a host of the group, with its own secret": {"chap": ("host-chap", HOSTS_SECRET)},
    "a stranger, as it is": {"name": STRANGER},
    "a stranger, with the account's secret": {"name": STRANGER, "chap": ("tenant", SECRET)},
    "a stranger, with a wrong secret": {"name": STRANGER, "chap": ("tenant", WRONG)},
    "a stranger, with a name that nobody has": {"name": STRANGER, "chap": ("nobody", SECRET)},
    "a stranger, with the secret of another account": {"name": STRANGER, "chap": ("other", SECRET)},
    "a stranger, with the secret of the host": {"name": STRANGER, "chap": ("host-chap", HOSTS_SECRET)},
}  # fmt: skip
GROUP_LEADS_NOWHERE = [FAILED, FAILED, IN, FAILED, FAILED]

CASES = {
    "nothing special": ((), [IN, IN, IN, FAILED, FAILED, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED]),
    "the volume was deleted": (
        [("DeleteVolume", {"volumeID": 1})],
        [MISSING, MISSING, MISSING, FAILED, FAILED, MISSING, MISSING, FAILED, FAILED, MISSING, FAILED],
    ),
    "the volume is locked": (
        [("ModifyVolume", {"volumeID": 1, "access": "locked"})],
        [FORBIDDEN, FORBIDDEN, FORBIDDEN, FAILED, FAILED, FAILED, FORBIDDEN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the volume is a replication target": (
        [("ModifyVolume", {"volumeID": 1, "access": "replicationTarget"})],
        [FORBIDDEN, FORBIDDEN, FORBIDDEN, FAILED, FAILED, FAILED, FORBIDDEN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the volume is read-only": (
        [("ModifyVolume", {"volumeID": 1, "access": "readOnly"})],
        [IN, IN, IN, FAILED, FAILED, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the group was deleted": (
        [("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 1})],
        [*GROUP_LEADS_NOWHERE, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the volume left the group": (
        [("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1]})],
        [*GROUP_LEADS_NOWHERE, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the host left the group": (
        [("RemoveInitiatorsFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": [HOST]})],
        [*GROUP_LEADS_NOWHERE, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the account is locked": (
        [("ModifyAccount", {"accountID": 1, "status": "locked"})],
        [IN, IN, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the account has no CHAP": (
        [("ModifyAccount", {"accountID": 1, "enableChap": False})],
        [IN, IN, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
    "the account has a new secret": (
        [("ModifyAccount", {"accountID": 1, "initiatorSecret": WRONG})],
        [IN, IN, FAILED, IN, FAILED, FAILED, FAILED, IN, FAILED, FORBIDDEN, FAILED],
    ),
    "the volume went to the other account": (
        [("ModifyVolume", {"volumeID": 1, "accountID": 2})],
        [IN, IN, IN, FAILED, FAILED, FAILED, FORBIDDEN, FAILED, FAILED, IN, FAILED],
    ),
    "the host must prove itself": (
        [(
            "ModifyInitiators",
            {"initiators": [{
                "initiatorID": 1, "requireChap": True, "chapUsername": "host-chap", "initiatorSecret": HOSTS_SECRET,
                "targetSecret": HOSTS_OWN_SECRET,
            }]},
        )],
        [FAILED, FAILED, IN, FAILED, IN, FAILED, IN, FAILED, FAILED, FORBIDDEN, FAILED],
    ),
}  # fmt: skip
CELLS = [
    pytest.param(changes, COMING[coming], status, id=f"{case}: {coming}")
    for case, (changes, statuses) in CASES.items()
    for coming, status in zip(COMING, statuses, strict=True)
]


def status_of(initiator: Any) -> int:
    """Log in; 0 when the target lets us."""
    try:
        initiator.login()
    except Exception as error:
        status: int | None = getattr(error, "status", None)
        if status is None:
            raise
        return status
    return IN


@pytest.mark.parametrize(("changes", "coming", "status"), CELLS)
def test_the_cluster_decides_who_gets_in(cluster: Any, changes: Any, coming: dict[str, Any], status: int) -> None:
    cluster.call("AddAccount", username="other", initiatorSecret=SECRET)
    for method, params in changes:
        cluster.call(method, **params)
    host = cluster.dial(**coming)
    assert status_of(host) == status
    if status == IN:
        assert host.command("000000000000").status == 0
        assert host.ask(0x06).opcode == 0x26
    assert not any(secret in entry.line() for entry in cluster.journal for secret in (SECRET, OWN_SECRET, WRONG))


@pytest.mark.parametrize("algorithm", chap.ALGORITHMS)
@pytest.mark.parametrize("own_secret", ["", OWN_SECRET])
def test_both_sides_prove_themselves_by_every_algorithm(cluster: Any, algorithm: str, own_secret: str) -> None:
    cluster.login(name=STRANGER, chap=("tenant", SECRET), own_secret=own_secret, algorithm=algorithm)
    session = cluster.call("ListISCSISessions")["sessions"][0]
    assert session["authentication"] == {
        "authMethod": "CHAP",
        "chapAlgorithm": {"5": "MD5", "6": "SHA1", "7": "SHA-256", "8": "SHA3-256"}[algorithm],
        "chapUsername": "tenant",
        "direction": "two-way" if own_secret else "one-way",
    }


def test_a_target_that_is_not_asked_for_its_proof_gives_none(cluster: Any) -> None:
    host = cluster.login(name=STRANGER, chap=("tenant", SECRET))
    assert "CHAP_R" not in host.agreed


def test_our_own_challenge_sent_back_proves_nothing(cluster: Any) -> None:
    host = cluster.dial(name=STRANGER, chap=("tenant", SECRET))
    who = {"InitiatorName": STRANGER, "TargetName": cluster.volume["iqn"], "AuthMethod": "CHAP"}
    host.step(0x00, who)
    _, keys = host.step(0x00, {"CHAP_A": "5"})
    proof = chap.proof("5", int(keys["CHAP_I"]), SECRET, chap.read(keys["CHAP_C"]))
    with pytest.raises(Exception, match="0x0201"):
        host.step(0x81, {"CHAP_N": "tenant", "CHAP_R": chap.written(proof), "CHAP_I": "1", "CHAP_C": keys["CHAP_C"]})


def test_discovery_shows_what_one_may_open_and_nothing_else(cluster: Any) -> None:
    second = cluster.call("CreateVolume", name="second", accountID=1, totalSize=10**9, enable512e=True)["volume"]
    assert cluster.dial(target="").login().discover() == [cluster.volume["iqn"]]
    both = [cluster.volume["iqn"], second["iqn"]]
    assert cluster.dial(target="", name=STRANGER, chap=("tenant", SECRET)).login().discover() == both
    assert status_of(cluster.dial(target="", name=STRANGER)) == FAILED
    cluster.call("DeleteVolume", volumeID=1)
    assert cluster.dial(target="", name=STRANGER, chap=("tenant", SECRET)).login().discover() == both[1:]
    assert cluster.dial(target="").login().discover() == []


def test_a_long_list_of_targets_comes_in_pieces(cluster: Any) -> None:
    for number in range(20):
        cluster.call("CreateVolume", name=f"more-{number}", accountID=1, totalSize=10**9, enable512e=True)
    host = cluster.dial(
        target="", name=STRANGER, chap=("tenant", SECRET), keys={"MaxRecvDataSegmentLength": "512"}
    ).login()  # fmt: skip
    answer = host.ask(0x04, payload=b"SendTargets=All\0", word=0xFFFFFFFF)
    text = answer.payload
    while answer.header[1] & 0x40:
        assert len(answer.payload) == 512
        answer = host.ask(0x04, word=answer.word(20))
        text += answer.payload
    assert text.count(b"TargetName=") == 21
    assert text.count(f"TargetAddress={cluster.portal.portal},1\0".encode()) == 21


@pytest.mark.parametrize(("keys", "answer"), [
    ({"HeaderDigest": "CRC32C,None"}, {"HeaderDigest": "None"}),
    ({"HeaderDigest": "CRC32C"}, {"HeaderDigest": "Reject"}),
    ({"MaxBurstLength": "0x1000"}, {"MaxBurstLength": "4096"}),
    ({"MaxBurstLength": "511"}, {"MaxBurstLength": "Reject"}),
    ({"MaxBurstLength": "-1"}, {"MaxBurstLength": "Reject"}),
    ({"FirstBurstLength": "16777215"}, {"FirstBurstLength": "262144"}),
    ({"MaxConnections": "8"}, {"MaxConnections": "1"}),
    ({"ErrorRecoveryLevel": "2"}, {"ErrorRecoveryLevel": "0"}),
    ({"DefaultTime2Wait": "5"}, {"DefaultTime2Wait": "5"}),
    ({"DefaultTime2Retain": "0"}, {"DefaultTime2Retain": "0"}),
    ({"InitialR2T": "No"}, {"InitialR2T": "No"}),
    ({"InitialR2T": "Yes"}, {"InitialR2T": "Yes"}),
    ({"InitialR2T": "Maybe"}, {"InitialR2T": "Reject"}),
    ({"ImmediateData": "No"}, {"ImmediateData": "No"}),
    ({"IFMarkInt": "2048~8192"}, {"IFMarkInt": "Irrelevant"}),
    ({"X-org.example.key": "1"}, {"X-org.example.key": "NotUnderstood"}),
    ({"MaxRecvDataSegmentLength": "4096"}, {"MaxRecvDataSegmentLength": "262144"}),
])  # fmt: skip
def test_keys_are_settled_as_the_table_says(bench: Any, keys: dict[str, str], answer: dict[str, str]) -> None:
    host = bench.dial(keys=keys)
    host.login()
    assert answer.items() <= host.agreed.items()
    assert host.read(0, 9).content == bytes(9 * 512)


@pytest.mark.parametrize(("flags", "keys", "status"), [
    (0x87, {}, 0x0207),
    (0x87, {"InitiatorName": HOST}, 0x0207),
    (0x87, {"InitiatorName": HOST, "TargetName": ""}, 0x0207),
    (0x87, {"InitiatorName": HOST, "SessionType": "Odd"}, 0x0209),
    (0x87, {"InitiatorName": "n" * 224, "SessionType": "Discovery"}, 0x0200),
    (0x87, {"InitiatorName": "\u00e9", "SessionType": "Discovery"}, 0x0200),
    (0x87, {"InitiatorName": HOST, "TargetName": "iqn.2026-11.org.example:none"}, MISSING),
    (0x83, {"InitiatorName": HOST, "SessionType": "Discovery", "AuthMethod": "KRB5"}, FAILED),
    (0x82, {"InitiatorName": HOST, "SessionType": "Discovery"}, 0x020B),
    (0x84, {"InitiatorName": HOST, "SessionType": "Discovery"}, 0x020B),
    (0x8C, {"InitiatorName": HOST, "SessionType": "Discovery"}, 0x020B),
    (0xC7, {"InitiatorName": HOST, "SessionType": "Discovery"}, 0x020B),
    (0x81, {"InitiatorName": HOST, "SessionType": "Discovery", "CHAP_R": "0x00"}, 0x0200),
    (0x81, {"InitiatorName": HOST, "SessionType": "Discovery", "k" * 64: "1"}, 0x0200),
])  # fmt: skip
def test_a_bad_login_is_refused_with_its_reason(bench: Any, flags: int, keys: dict[str, str], status: int) -> None:
    host = bench.dial()
    with pytest.raises(Exception, match=f"{status:#06x}"):
        host.step(flags, keys)
    assert host.gone()
    bench.login()


def test_text_of_a_login_may_come_in_pieces(bench: Any) -> None:
    host = bench.dial()
    text = f"InitiatorName={HOST}\0TargetName=iqn.2026-11.org.example:disk\0".encode()
    rest = bytes(4) + (1).to_bytes(4)
    host.send(0x43, 0x44, lun=host.isid + bytes(2), tag=1, rest=rest, payload=text[:30])
    assert host.receive().header[1] == 0x04
    host.send(0x43, 0x87, lun=host.isid + bytes(2), tag=1, rest=rest, payload=text[30:])
    assert host.receive().header[1] == 0x87


def test_a_login_of_the_same_session_takes_the_place_of_the_old_one(cluster: Any) -> None:
    first, second = cluster.login(), cluster.login()
    assert first.gone()
    assert second.command("000000000000").status == 0
    cluster.login(isid=b"\x80\0\0\0\0\2")
    assert second.command("000000000000").status == 0
    assert len(cluster.call("ListISCSISessions")["sessions"]) == 2
