"""VDI records that agree with their SR, and the collector that coalesces chains when nobody needs a hidden parent.

It runs in the background, in the clock's time: some while after a VDI went or the SR was scanned. How a chain is
coalesced is chains.py's.
"""

from collections.abc import Mapping

from snapproof.simulators.xenserver.attachments import FoundVdi
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.rows import Sr, Vdi
from snapproof.simulators.xenserver.state import State

COALESCE_DELAY_S = 30.0
"""How long the collector waits: it is started by scans and deletions, and gives others the SR first."""


def tell_vdis(state: State, sr: Sr, found: Mapping[str, FoundVdi]) -> None:
    """Add, refresh and take away records until they are those of what was found."""
    missing = dict(found)
    filling = [copy.target for copy in state.copies()]
    for vdi in state.vdis_of(sr):
        here = missing.pop(vdi.uuid, None)
        if here:
            _tell(vdi, here)
        elif vdi not in filling and not any(vbd.attached for vbd in state.vbds_of(vdi)):
            state.drop_vdi(vdi)
            state.record("vdi gone", vdi=vdi.uuid, sr=sr.uuid)
    for new in missing.values():
        vdi = Vdi(ref=state.new_ref(), uuid=new.uuid, name_label=new.label, name_description="", sr=sr, virtual_size=0)
        _tell(state.vdis.add(vdi), new)
        state.record("vdi found", vdi=new.uuid, sr=sr.uuid)


def _tell(vdi: Vdi, found: FoundVdi) -> None:
    vdi.virtual_size = found.size_bytes
    vdi.managed = not found.hidden
    vdi.is_a_snapshot = found.snapshot
    vdi.snapshot_of = found.snapshot_of
    vdi.snapshot_s = found.snapshot_s
    vdi.parent = found.parent
    others = {key: value for key, value in vdi.sm_config.items() if key != "vhd-parent"}
    vdi.sm_config = others | ({"vhd-parent": found.parent} if found.parent else {})


def tidy_later(state: State, sr: Sr) -> None:
    """Let the collector look at an SR when its time has come, if it holds a hidden VDI."""
    if any(not vdi.managed for vdi in state.vdis_of(sr)):
        state.garbage.setdefault(sr.ref, state.clock.time() + COALESCE_DELAY_S)


def collect(state: State) -> None:
    """Coalesce what is due. An SR that is copied from or out of reach is tried again later."""
    now_s = state.clock.time()
    for ref in [ref for ref, due_s in state.garbage.items() if due_s <= now_s]:
        del state.garbage[ref]
        sr = next((sr for sr in state.srs if sr.ref == ref), None)
        if sr is None:
            continue
        if any(sr in (copy.source.sr, copy.target.sr) for copy in state.copies()):
            state.garbage[ref] = now_s + COALESCE_DELAY_S
            continue
        try:
            _collect(state, sr)
        except (XapiError, OSError):
            state.garbage[ref] = now_s + COALESCE_DELAY_S


def _collect(state: State, sr: Sr) -> None:
    attachment = state.attachment(sr, state.master)
    rounds = 0
    while attachment.coalesce():
        rounds += 1
    if rounds:
        tell_vdis(state, sr, {vdi.uuid: vdi for vdi in attachment.found()})
        state.record("chain coalesced", sr=sr.uuid, vdis=rounds)
