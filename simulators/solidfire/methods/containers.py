"""Storage containers: accounts that are to hold virtual volumes. The virtual volumes themselves are not simulated."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import accounting, checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.accounts import add_account, give_secrets
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.settings import StorageContainer


def create_storage_container(array: Array, given: Given) -> Mapping[str, Any]:
    """Make an account a container, or add an account of the container's name to be one."""
    name = checks.name_within(array, given["name"], "accountNameLengthMax")
    if any(container.name == name for container in array.settings.containers):
        raise ElementError(GUESSED.bad_value, f"A storage container of the name {name} exists already.")
    if "accountID" in given:
        account_id = array.account(given["accountID"]).row.account_id
        if account_id in array.settings.containers:
            raise ElementError(GUESSED.bad_value, f"AccountID {account_id} is a storage container already.")
        give_secrets(array, array.accounts[account_id].row, given)
    else:
        account_id = add_account(array, {**given, "username": name})["accountID"]
    container = StorageContainer(
        name=name, uuid=array.identity.uuid_of("storage container", account_id), account_id=account_id
    )
    array.settings.containers.put(account_id, container)
    array.accounts[account_id].row.storage_container_id = container.uuid
    array.record("storage container created", account_id=account_id, name=name)
    return {"storageContainer": _shown(array, container)}


def _shown(array: Array, container: StorageContainer) -> Mapping[str, Any]:
    account = array.accounts[container.account_id].row
    return {
        "name": container.name,
        "storageContainerID": container.uuid,
        "accountID": container.account_id,
        "protocolEndpointType": "SCSI",
        "initiatorSecret": account.initiator_secret,
        "targetSecret": account.target_secret,
        "status": account.status,
        "virtualVolumes": [],
    }


def _container(array: Array, uuid: str) -> StorageContainer:
    for container in array.settings.containers:
        if container.uuid == uuid:
            return container
    raise ElementError(GUESSED.unknown_id, f"StorageContainerID {uuid} does not exist.")


def list_storage_containers(array: Array, given: Given) -> Mapping[str, Any]:
    """List all containers, or those that are named; of these, what is not there is left out."""
    wanted = frozenset(given.get("storageContainerIDs", ()))
    found = [container for container in array.settings.containers if not wanted or container.uuid in wanted]
    return {"storageContainers": [_shown(array, container) for container in found]}


def get_storage_container_efficiency(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell what is saved within the volumes of a container's account."""
    container = _container(array, given["storageContainerID"])
    return accounting.efficiency(array, array.account(container.account_id).volumes)


def modify_storage_container(array: Array, given: Given) -> Mapping[str, Any]:
    """Change the secrets that were given; they are those of the account."""
    container = _container(array, given["storageContainerID"])
    give_secrets(array, array.accounts[container.account_id].row, given)
    array.record("storage container modified", account_id=container.account_id, name=container.name)
    return {"storageContainer": _shown(array, container)}


def delete_storage_containers(array: Array, given: Given) -> Mapping[str, Any]:
    """Let accounts be containers no more, all or none; the accounts stay."""
    for container in [_container(array, uuid) for uuid in dict.fromkeys(given["storageContainerIDs"])]:
        array.settings.containers.drop(container.account_id)
        array.accounts[container.account_id].row.storage_container_id = None
        array.record("storage container deleted", account_id=container.account_id, name=container.name)
    return {}


def list_virtual_volume_tasks(_array: Array, _given: Given) -> Mapping[str, Any]:
    """List no task, whichever are named: there is no virtual volume to work on."""
    return {"tasks": []}


def list_protocol_endpoints(_array: Array, _given: Given) -> Mapping[str, Any]:
    """List no endpoint, whichever are named: a cluster has them from its first host of virtual volumes on."""
    return {"protocolEndpoints": []}


RULES: Rules = {
    "CreateStorageContainer": create_storage_container,
    "ListStorageContainers": list_storage_containers,
    "GetStorageContainerEfficiency": get_storage_container_efficiency,
    "ModifyStorageContainer": modify_storage_container,
    "DeleteStorageContainers": delete_storage_containers,
    "ListVirtualVolumeTasks": list_virtual_volume_tasks,
    "ListProtocolEndpoints": list_protocol_endpoints,
}
