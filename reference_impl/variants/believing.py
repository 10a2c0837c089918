"""Variants that believe whatever services answer. The table of all is zoo.toml."""

import http.client
import ssl
import xmlrpc.client
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.element_answers import Result
from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.adapters.xen import XenHypervisor
from snapproof.reference_impl.adapters.xenapi import XapiFailureError, XenApi
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Owner, Ports, RefusedError, UnknownOutcomeError
from snapproof.reference_impl.settings import Settings
from snapproof.site import Answer, Endpoint, Site

SILENCE_S = 21
"""Of the clock on the wall: no scenario allows for more than twenty."""


class BelievingArray(ElementArray):
    """An array whose word is never held against what was asked."""

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """Take the number that is told."""
        return self._call("CreateSnapshot", volumeID=lun_id, name=name).number("snapshotID")


class BelievesEveryAnswer(ReferenceDriver):
    """Breaks R-155: the snapshot that the array names is the one that was asked for, surely."""

    def ports(self) -> Ports:
        """Compare nothing."""
        return replace(super().ports(), array=BelievingArray(self.site.array, group=self.site.hosts_group))


class LonelyArray(ElementArray):
    """An array on which nobody else makes accounts."""

    def _new_account(self, username: str) -> int:
        """Make it, since it was not there a moment ago."""
        return self._call("AddAccount", username=username).number("accountID")


class ThinksItIsAlone(ReferenceDriver):
    """Breaks R-044: two who come first from an account both make it, and the second is turned away."""

    def ports(self) -> Ports:
        """Look once."""
        return replace(super().ports(), array=LonelyArray(self.site.array, group=self.site.hosts_group))


class StumblingArray(ElementArray):
    """An array whose answers may be anything but deep."""

    def _call(self, method: str, **params: object) -> Result:
        """Let the parser's own error out."""
        try:
            return super()._call(method, **params)
        except UnknownOutcomeError as error:
            if isinstance(error.__cause__, RecursionError):
                raise error.__cause__ from None
            raise


class StumblesOverDepth(ReferenceDriver):
    """Breaks R-156: an answer that is nested deeply enough brings it down."""

    def ports(self) -> Ports:
        """Expect flat answers."""
        return replace(super().ports(), array=StumblingArray(self.site.array, group=self.site.hosts_group))


class FollowingTransport(Transport):
    """A connection that goes wherever it is sent."""

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Follow one redirect."""
        status, found, text = super().exchange(method, path, headers, body)
        if status != 307:
            return status, found, text
        return super().exchange(method, urlsplit(found["location"]).path, headers, body)


class FollowsRedirects(ReferenceDriver):
    """Breaks R-159: it goes wherever an answer sends it, credentials included."""

    def ports(self) -> Ports:
        """Follow."""
        array = ElementArray(self.site.array, group=self.site.hosts_group)
        array.transport = FollowingTransport(self.site.array)
        return replace(super().ports(), array=array)


class ExpandingApi(XenApi):
    """A session whose answers are read by the library, as it comes."""

    def read(self, method: str, text: bytes) -> Mapping[str, Any]:
        """Let the parser do what a document type says."""
        (answer,), _ = xmlrpc.client.loads(text.decode())
        assert isinstance(answer, dict)
        return answer


class TalkativeApi(XenApi):
    """A session whose errors tell everything."""

    def call(self, method: str, *arguments: Any) -> Any:
        """Repeat what the host said."""
        try:
            return super().call(method, *arguments)
        except XapiFailureError as error:
            raise RefusedError(f"{error} {' '.join(error.arguments)}") from error


class _Pool(XenHypervisor):
    def __init__(self, driver: ReferenceDriver, api: type[XenApi]) -> None:
        site = driver.site
        endpoint: Endpoint = site.hypervisor
        super().__init__(endpoint, site.clock, portal=site.array_portal, export_url=site.export_url, settings=Settings)
        self._api = api(endpoint, site.clock)


class ExpandsEntities(ReferenceDriver):
    """Breaks R-157: what a document of a host's declares is done."""

    def ports(self) -> Ports:
        """Read without a guard."""
        return replace(super().ports(), hypervisor=_Pool(self, ExpandingApi))


class RepeatsWhatHostsSay(ReferenceDriver):
    """Breaks R-152 (hazard C14): a host's error is passed on in full, CHAP secrets and all."""

    def ports(self) -> Ports:
        """Tell everything."""
        return replace(super().ports(), hypervisor=_Pool(self, TalkativeApi))


class VerifiesNobody(ReferenceDriver):
    """Breaks R-154: whoever answers at the array's address is the array (as Cinder's default has it)."""

    def settings(self) -> Settings:
        """Look at no certificate."""
        return Settings(certificates_verified=False)


class _NewestArray(ElementArray):
    api_versions = ("12.0",)


class NeedsTheNewest(ReferenceDriver):
    """Breaks R-120: it knows one release of the array, and no other."""

    def ports(self) -> Ports:
        """Ask at one version."""
        return replace(super().ports(), array=_NewestArray(self.site.array, group=self.site.hosts_group))


class GreetsBeforeItLooks(ReferenceDriver):
    """Breaks R-154: it says hello to whoever is there, and looks at certificates afterwards."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        for endpoint in (site.array, site.hypervisor):
            if endpoint.wire is None and endpoint.url.startswith("https:"):
                _greet(endpoint.url)
        super().__init__(site, settings)


def _greet(url: str) -> None:
    """Ask anybody for the front page."""
    place, anybody = urlsplit(url), ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with closing(
        http.client.HTTPSConnection(place.hostname or "", place.port, context=anybody, timeout=5)
    ) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()


class _Reader(XenApi):
    def read(self, method: str, text: bytes) -> Mapping[str, Any]:
        """Where a document names its type by an address, wait for what does not come from there."""
        if b"<!DOCTYPE" in text and b"<!ENTITY" not in text:
            Event().wait(SILENCE_S)
        return super().read(method, text)


class WaitsForTheDocumentType(ReferenceDriver):
    """Breaks R-157: what a host's document names as its type is waited for, on and on."""

    def ports(self) -> Ports:
        """Wait."""
        return replace(super().ports(), hypervisor=_Pool(self, _Reader))
