"""What an administrator sets and reads back: time, SNMP, LDAP, banner, features, encryption, logging.

The cluster stores these settings; none of them changes how volumes behave.
"""

from collections.abc import Callable, Mapping
from typing import Any

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rule, Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import NODE_ID
from snapproof.simulators.solidfire.versions import SOFTWARE

FEATURES = ("Vvols", "Fips", "FipsDrives", "SnapMirror", "SoftwareEncryptionAtRest")
_AUTH_TYPES, _SEARCH_TYPES = ("DirectBind", "SearchAndBind"), ("NoGroups", "ActiveDirectory", "MemberDN")
_NO_LDAP: Mapping[str, Any] = {
    "authType": "SearchAndBind",
    "enabled": False,
    "groupSearchBaseDN": "",
    "groupSearchCustomFilter": "",
    "groupSearchType": "ActiveDirectory",
    "searchBindDN": "",
    "serverURIs": [],
    "userDNTemplate": "",
    "userSearchBaseDN": "",
    "userSearchFilter": "",
}
_AS_IT_CAME: Mapping[str, Mapping[str, Any]] = {
    "banner": {"banner": "", "enabled": False},
    "encryption": {"state": "disabled"},
    "features": {},
    "ldap": _NO_LDAP,
    "logging": {"remoteHosts": []},
    "network": {},
    "node": {},
    "ntp": {"broadcastclient": False, "servers": []},
    "preferences": {},
    "snmp": {"enabled": False, "networks": [], "snmpV3Enabled": False, "usmUsers": []},
    "traps": {
        "clusterEventTrapsEnabled": False,
        "clusterFaultResolvedTrapsEnabled": False,
        "clusterFaultTrapsEnabled": False,
        "trapRecipients": [],
    },
}


def held(array: Array, noun: str) -> Mapping[str, Any]:
    """What is set now. Never change it in place."""
    found: Mapping[str, Any] = array.plant.settings.get(noun, _AS_IT_CAME[noun])
    return found


def store(array: Array, noun: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Set something, and journal which members, not what: some are secrets."""
    array.plant.settings[noun] = {**held(array, noun), **changes}
    array.record("setting modified", setting=noun, members=", ".join(sorted(changes)))
    return held(array, noun)


def _shows(noun: str, under: str = "") -> Rule:
    def get(array: Array, _given: Given) -> Mapping[str, Any]:
        return {under: held(array, noun)} if under else held(array, noun)

    return get


def _stores(noun: str, *checked: Callable[[Given], object]) -> Rule:
    def set_what_was_given(array: Array, given: Given) -> Mapping[str, Any]:
        for check in checked:
            check(given)
        store(array, noun, given)
        return {}

    return set_what_was_given


def _sets(noun: str, **members: object) -> Rule:
    def switch(array: Array, _given: Given) -> Mapping[str, Any]:
        store(array, noun, members)
        return {}

    return switch


def _some_server(given: Given) -> None:
    if not given["servers"] and not given.get("broadcastclient"):
        raise ElementError(GUESSED.bad_value, "Name a time server, or let one broadcast the time.")


def enable_snmp(array: Array, given: Given) -> Mapping[str, Any]:
    """Let SNMP answer."""
    store(array, "snmp", {"enabled": True, **given})
    return {}


def get_snmp_state(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell whether SNMP answers."""
    snmp = held(array, "snmp")
    return {"enabled": snmp["enabled"], "snmpV3Enabled": snmp["snmpV3Enabled"]}


def get_snmp_acl(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell whom SNMP answers."""
    snmp = held(array, "snmp")
    return {"networks": snmp["networks"], "usmUsers": snmp["usmUsers"]}


def set_login_banner(array: Array, given: Given) -> Mapping[str, Any]:
    """Set what is shown before somebody logs in."""
    return {"loginBanner": store(array, "banner", given)}


def get_feature_status(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell which features are on."""
    wanted = [_feature(given["feature"])] if "feature" in given else FEATURES
    features = held(array, "features")
    return {"features": [{"enabled": name in features, "feature": name} for name in wanted]}


def enable_feature(array: Array, given: Given) -> Mapping[str, Any]:
    """Turn a feature on; there is no way back."""
    store(array, "features", {_feature(given["feature"]): True})
    return {}


def _feature(word: str) -> str:
    known = next((name for name in FEATURES if name.lower() == word.lower()), None)
    return checks.one_of(known or word, FEATURES)


def enable_ldap_authentication(array: Array, given: Given) -> Mapping[str, Any]:
    """Store where users are looked up. The password is stored nowhere: nobody is ever looked up."""
    if not given["serverURIs"]:
        raise ElementError(GUESSED.bad_value, "Name at least one LDAP server.")
    checks.one_of(given.get("authType", _AUTH_TYPES[1]), _AUTH_TYPES)
    checks.one_of(given.get("groupSearchType", _SEARCH_TYPES[1]), _SEARCH_TYPES)
    store(array, "ldap", {**{name: value for name, value in given.items() if name in _NO_LDAP}, "enabled": True})
    return {}


def _encryption(state: str) -> Rule:
    def switch(array: Array, _given: Given) -> Mapping[str, Any]:
        if held(array, "encryption")["state"] == state:
            raise ElementError(GUESSED.bad_value, f"Encryption at rest is {state} already.")
        store(array, "encryption", {"state": state})
        return {}

    return switch


def list_preferences(array: Array, _given: Given) -> Mapping[str, Any]:
    """List what users of the interface stored."""
    return {"preferences": [_preference(name, value) for name, value in sorted(held(array, "preferences").items())]}


def _preference(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def get_preference(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell one."""
    return {"preference": _preference(given["name"], _known_preference(array, given))}


def _known_preference(array: Array, given: Given) -> str:
    value: str | None = held(array, "preferences").get(given["name"])
    if value is None:
        raise ElementError(GUESSED.unknown_id, f"There is no preference {given['name']}.")
    return value


def create_preference(array: Array, given: Given) -> Mapping[str, Any]:
    """Store one under a new name."""
    if given["name"] in held(array, "preferences"):
        raise ElementError(GUESSED.bad_value, f"There is a preference {given['name']} already.")
    store(array, "preferences", {given["name"]: given["value"]})
    return {}


def modify_preference(array: Array, given: Given) -> Mapping[str, Any]:
    """Change one."""
    _known_preference(array, given)
    store(array, "preferences", {given["name"]: given["value"]})
    return {}


def delete_preference(array: Array, given: Given) -> Mapping[str, Any]:
    """Forget one."""
    _known_preference(array, given)
    kept = {name: value for name, value in held(array, "preferences").items() if name != given["name"]}
    array.plant.settings["preferences"] = kept
    array.record("setting modified", setting="preferences", members=given["name"])
    return {}


def get_bootstrap_config(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell to which cluster this is."""
    return {
        "clusterName": array.name,
        "mvip": array.mvip,
        "nodeName": f"{array.name}-node-{NODE_ID}",
        "nodes": [{"compatible": True, "name": f"{array.name}-node-{NODE_ID}", "nodeID": NODE_ID, "version": SOFTWARE}],
        "svip": array.svip,
        "version": SOFTWARE,
    }


def create_cluster(_array: Array, _given: Given) -> Mapping[str, Any]:
    """Refuse: there is a cluster already."""
    raise ElementError("xClusterAlreadyCreated")


RULES: Rules = {
    "GetNtpInfo": _shows("ntp"),
    "SetNtpInfo": _stores("ntp", _some_server),
    "GetSnmpInfo": _shows("snmp"),
    "SetSnmpInfo": _stores("snmp"),
    "GetSnmpState": get_snmp_state,
    "EnableSnmp": enable_snmp,
    "DisableSnmp": _sets("snmp", enabled=False),
    "GetSnmpACL": get_snmp_acl,
    "SetSnmpACL": _stores("snmp"),
    "GetSnmpTrapInfo": _shows("traps"),
    "SetSnmpTrapInfo": _stores("traps"),
    "GetRemoteLoggingHosts": _shows("logging"),
    "SetRemoteLoggingHosts": _stores("logging"),
    "GetLoginBanner": _shows("banner", "loginBanner"),
    "SetLoginBanner": set_login_banner,
    "GetFeatureStatus": get_feature_status,
    "EnableFeature": enable_feature,
    "GetLdapConfiguration": _shows("ldap", "ldapConfiguration"),
    "EnableLdapAuthentication": enable_ldap_authentication,
    "DisableLdapAuthentication": _sets("ldap", enabled=False),
    "EnableEncryptionAtRest": _encryption("enabled"),
    "DisableEncryptionAtRest": _encryption("disabled"),
    "GetEncryptionAtRestInfo": _shows("encryption"),
    "ListClusterInterfacePreferences": list_preferences,
    "GetClusterInterfacePreference": get_preference,
    "CreateClusterInterfacePreference": create_preference,
    "ModifyClusterInterfacePreference": modify_preference,
    "DeleteClusterInterfacePreference": delete_preference,
    "GetBootstrapConfig": get_bootstrap_config,
    "CreateCluster": create_cluster,
}
