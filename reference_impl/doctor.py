"""The check before use: does the environment fit? One line for each item, and nothing is changed (R-101, R-102).

What is written anywhere is one marked object on secondary storage, and it is deleted again whatever happens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shutil import disk_usage
from typing import TypeVar

from snapproof.reference_impl.adapters.trust import Trust
from snapproof.reference_impl.catalog.examining import missing_columns
from snapproof.reference_impl.configuring import Configuration
from snapproof.reference_impl.connecting import connect
from snapproof.reference_impl.fencing import fenced
from snapproof.reference_impl.ports import ArrayFacts, CallError, HostFacts, ImageFormat
from snapproof.reference_impl.settings import SettingError, Settings
from snapproof.site import Site

T = TypeVar("T")

API_VERSION_LEAST = 7.0
SKEW_S_MAX = 30.0
"""How far the clocks of array and server may be apart: leases and graces are reckoned in minutes."""

FREE_BYTES_LEAST = 2**30
PROBE_PATH = "check-before-use.probe"
"""What the check writes; no backup is ever called so."""

PROBE = b"A probe of the check before use; delete it if it is still here.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: the item, whether it passed, and what was seen."""

    item: str
    passed: bool
    words: str

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'FAIL'}  {self.item}: {self.words}"


class _Examination:
    """The findings so far. What cannot be asked has failed, and the rest is asked all the same."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def note(self, item: str, words: str, *, passed: bool) -> None:
        self.findings.append(Finding(item=item, passed=passed, words=words))

    def ask(self, item: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except (CallError, OSError) as error:
            self.note(item, str(error), passed=False)
            return None


def examine(site: Site, given: Settings | None = None) -> Sequence[Finding]:
    """Check everything."""
    noted = _Examination()
    try:
        configuration = Configuration(given or Settings(), site)
    except SettingError as error:
        noted.note("settings", str(error), passed=False)
        return noted.findings
    warnings, settings = configuration.warnings, configuration.live()
    noted.note("settings", " ".join(warnings) or "known, and in their ranges", passed=not warnings)
    _catalog(noted, settings.catalog_url_for(site.state_directory))
    trust = Trust(certificates_verified=settings.certificates_verified, link_local_allowed=settings.link_local_allowed)
    ports = connect(fenced(site, lambda: None, trust), configuration.live)
    array = noted.ask("array login", ports.array.examine)
    hosts = noted.ask("hosts", ports.hypervisor.examine)
    if array is not None:
        _array(noted, array, now_s=site.clock.time())
    for host in hosts or ():
        _host(noted, host, ports.hypervisor.image_format)
    if array is not None and hosts is not None:
        _group(noted, site.hosts_group, array, hosts)
    if site.export_path is not None:
        free = disk_usage(site.export_path).free
        noted.note("export's room", f"{free} bytes are free", passed=free >= FREE_BYTES_LEAST)
    store = "export" if site.bucket is None else "bucket"
    before = len(noted.findings)
    noted.ask(store, lambda: ports.store.probe(PROBE_PATH, PROBE))
    if len(noted.findings) == before:
        noted.note(store, "a probe was put, got and deleted", passed=True)
    return noted.findings


def _catalog(noted: _Examination, url: str) -> None:
    missing = noted.ask("catalog", lambda: [missing_columns(url)])
    if missing is None:
        return
    (columns,) = missing
    if columns is None:
        noted.note("catalog", "there is none yet; the first start makes it", passed=True)
    else:
        words = f"it lacks {', '.join(columns[:5])}; start the server, which upgrades it" if columns else "it is whole"
        noted.note("catalog", words, passed=not columns)


def _array(noted: _Examination, array: ArrayFacts, *, now_s: float) -> None:
    noted.note("array login", "it knows the account", passed=True)
    newest = max(array.api_versions, default=0.0)
    noted.note("array API", f"{newest:g}; {API_VERSION_LEAST:g} is needed", passed=newest >= API_VERSION_LEAST)
    skew_s = array.now_s - now_s
    noted.note("clocks", f"the array is {skew_s:+.0f} s ahead", passed=abs(skew_s) <= SKEW_S_MAX)


def _host(noted: _Examination, host: HostFacts, image_format: ImageFormat) -> None:
    """Only hosts that keep VHDs have to re-sign clones."""
    if image_format is ImageFormat.VHD:
        noted.note(f"re-signing by {host.name}", "it can" if host.resigns else "it cannot", passed=host.resigns)


def _group(noted: _Examination, name: str, array: ArrayFacts, hosts: Sequence[HostFacts]) -> None:
    initiators = array.groups.get(name)
    if initiators is None:
        noted.note("access group", f"the array has no {name}", passed=False)
        return
    absent = [host.name for host in hosts if host.initiator and host.initiator not in initiators]
    words = f"{name} lacks the initiators of {', '.join(absent)}" if absent else f"{name} has all hosts' initiators"
    noted.note("access group", words, passed=not absent)
