"""Backup targets: where backups may go, as settings that the cluster keeps for its clients. Nothing is sent there."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.settings import BackupTarget
from snapproof.simulators.solidfire.state import Numbered


def create_backup_target(array: Array, given: Given) -> Mapping[str, Any]:
    """Keep the settings of a target. Its attributes may hold credentials, so that only the API shows them."""
    name = checks.name_within(array, given["name"], "backupTargetNameLengthMax")
    attributes = checks.attributes(given) or {}
    number = array.next_number(Numbered.BACKUP_TARGET)
    target = BackupTarget(backup_target_id=number, name=name, attributes=attributes)
    array.settings.backup_targets.put(number, target)
    array.record("backup target created", backup_target_id=number, name=name)
    return {"backupTargetID": number}


def _target(array: Array, given: Given) -> BackupTarget:
    target = array.settings.backup_targets.get(given["backupTargetID"])
    if target is None:
        raise ElementError(GUESSED.unknown_id, f"BackupTargetID {given['backupTargetID']} does not exist.")
    return target


def get_backup_target(array: Array, given: Given) -> Mapping[str, Any]:
    """Show one target."""
    return {"backupTarget": _target(array, given)}


def list_backup_targets(array: Array, _given: Given) -> Mapping[str, Any]:
    """List all targets."""
    return {"backupTargets": list(array.settings.backup_targets)}


def modify_backup_target(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given."""
    target = _target(array, given)
    name = checks.name_within(array, given.get("name", target.name), "backupTargetNameLengthMax")
    attributes = checks.attributes(given)
    target.name = name
    target.attributes = target.attributes if attributes is None else attributes
    array.record("backup target modified", backup_target_id=target.backup_target_id, name=name)
    return {}


def remove_backup_target(array: Array, given: Given) -> Mapping[str, Any]:
    """Forget a target."""
    target = _target(array, given)
    array.settings.backup_targets.drop(target.backup_target_id)
    array.record("backup target removed", backup_target_id=target.backup_target_id, name=target.name)
    return {}


RULES: Rules = {
    "CreateBackupTarget": create_backup_target,
    "GetBackupTarget": get_backup_target,
    "ListBackupTargets": list_backup_targets,
    "ModifyBackupTarget": modify_backup_target,
    "RemoveBackupTarget": remove_backup_target,
}
