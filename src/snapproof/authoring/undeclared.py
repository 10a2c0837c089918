"""What a driver serves although it does not declare it: asked with ids that there are none of, which changes nothing.

What it declares and does not serve fails the scenarios of it.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from snapproof.driver import DoorError, DriverError, DriverUnderTest, NotSupportedError
from snapproof.drivers.contract import DriverFailedError
from snapproof.vocabulary import AccountId, Capability, OperationId, SnapshotId, TemplateRequest, VolumeId

OPERATION = OperationId("snapproof-asks-what-is-served")
SNAPSHOT = SnapshotId("snapproof-no-such-snapshot")
VOLUME = VolumeId("snapproof-no-such-volume")
ACCOUNT = AccountId("snapproof-no-such-account")
TEMPLATE = TemplateRequest(operation=OPERATION, account=ACCOUNT, name="none", from_snapshot=SNAPSHOT)

PROBES: Mapping[Capability, Callable[[DriverUnderTest], Any]] = {
    Capability.ARCHIVE: lambda driver: driver.archive_snapshot(OPERATION, SNAPSHOT),
    Capability.CANCEL: lambda driver: driver.cancel(OPERATION),
    Capability.QUEUE: lambda driver: driver.queued_operations(),
    Capability.POLICIES: lambda driver: driver.list_policies(),
    Capability.REVERT: lambda driver: driver.revert_volume(OPERATION, SNAPSHOT),
    Capability.POOLS: lambda driver: driver.list_pools(),
    Capability.TEMPLATES: lambda driver: driver.create_template(TEMPLATE),
    Capability.RESIZE: lambda driver: driver.resize_volume(OPERATION, VOLUME, 2**30),
    Capability.ACCOUNTING: lambda driver: driver.resource_counts(ACCOUNT),
    Capability.AUDIT_EVENTS: lambda driver: driver.audit_events(),
    Capability.USAGE_EVENTS: lambda driver: driver.usage_events(),
    Capability.STATE_CHANGES: lambda driver: driver.state_changes(),
    Capability.ALERTS: lambda driver: driver.alerts(),
}
"""One harmless question for each capability that has a verb of its own."""


def served_all_the_same(driver: DriverUnderTest, declared: Collection[Capability]) -> Mapping[Capability, str]:
    """Say of each capability that is not declared and yet served what was answered to its question."""
    asked = {capability: _answered(driver, PROBES[capability]) for capability in PROBES if capability not in declared}
    return {capability: answer for capability, answer in asked.items() if answer}


def _answered(driver: DriverUnderTest, ask: Callable[[DriverUnderTest], Any]) -> str:
    try:
        ask(driver)
    except (NotSupportedError, NotImplementedError, AttributeError, DoorError, DriverFailedError):
        return ""
    except DriverError as error:
        return f"{type(error).__name__}: {error}"
    return "an answer"
