"""The plug-in that CloudStack puts on its hosts, by its names: mount an export, unmount it, make a directory in it.

Arguments are values, never words of a shell; a path is looked up among the mounts of the host and nowhere else.
"""

import re
from collections.abc import Callable, Mapping
from posixpath import normpath

from snapproof.simulators.xenserver.failures import XapiError, io_reason
from snapproof.simulators.xenserver.folders import FolderAttachment
from snapproof.simulators.xenserver.host_mounts import HostMount
from snapproof.simulators.xenserver.rows import Host, Mount
from snapproof.simulators.xenserver.state import State
from snapproof.site import Directory

PLUGINS = ("cloud-plugin-storage", "vmopsSnapshot")


class NotMountedError(Exception):
    """A path that lies below none of the exports that the host has mounted."""


def call_plugin(state: State, host: Host, plugin: str, function: str, arguments: Mapping[str, str]) -> str:
    """Run one function of the plug-in on a host; raises XENAPI_PLUGIN_FAILURE with the reason."""
    if plugin not in PLUGINS:
        raise XapiError("XENAPI_MISSING_PLUGIN", plugin)
    if function not in _FUNCTIONS:
        raise XapiError("UNKNOWN_XENAPI_PLUGIN_FUNCTION", function)
    perform, names = _FUNCTIONS[function]
    missing = [name for name in names if not arguments.get(name)]
    if missing:
        raise _failure(function, f"The argument {missing[0]} is missing")
    return perform(state, host, *(arguments[name] for name in names))


def locate(host: Host, path: str) -> tuple[Directory, str]:
    """Find the export under a path of a host and the path within it; raises NotMountedError."""
    wanted = normpath(path)
    for local in sorted(host.mounts, key=len, reverse=True):
        if wanted == local or wanted.startswith(f"{local}/"):
            return host.mounts[local].directory, wanted[len(local) :].strip("/")
    raise NotMountedError(f"Nothing is mounted at {wanted} of {host.name_label}; mount the export first.")


def _mount(state: State, host: Host, local: str, remote: str) -> str:
    local, shown = normpath(local), shown_address(remote)
    if not local.startswith("/"):
        raise _failure("mountNfsSecondaryStorage", "localDir is no absolute path")
    present = host.mounts.get(local)
    if present and present.remote == remote:
        return local
    if present:
        raise _failure("mountNfsSecondaryStorage", f"{local} is taken by {present.shown}")
    try:
        directory = state.mounts.mount(remote)
    except OSError as error:
        raise _failure("mountNfsSecondaryStorage", f"{shown} cannot be mounted: {io_reason(error)}") from error
    host.mounts[local] = Mount(local=local, remote=remote, shown=shown, directory=HostMount(directory))
    state.record("export mounted", host=host.name_label, local=local, remote=shown)
    return local


def _unmount(state: State, host: Host, local: str, remote: str) -> str:
    local = normpath(local)
    for pbd in state.pbds:
        folder = pbd.attachment
        if pbd.host is host and isinstance(folder, FolderAttachment) and f"{folder.local}/".startswith(f"{local}/"):
            raise _failure("umountNfsSecondaryStorage", f"{local} is busy: SR {pbd.sr.uuid} is plugged in it")
    if host.mounts.pop(local, None):
        state.record("export unmounted", host=host.name_label, local=local, remote=shown_address(remote))
    return local


def _make_directory(state: State, host: Host, path: str) -> str:
    try:
        directory, inside = locate(host, path)
        directory.make_directories(inside)
    except NotMountedError as error:
        raise _failure("makeDirectory", str(error)) from error
    except OSError as error:
        raise _failure("makeDirectory", f"{normpath(path)}: {io_reason(error)}") from error
    state.record("directory made", host=host.name_label, path=normpath(path))
    return path


_FUNCTIONS: Mapping[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    "mountNfsSecondaryStorage": (_mount, ("localDir", "remoteDir")),
    "umountNfsSecondaryStorage": (_unmount, ("localDir", "remoteDir")),
    "makeDirectory": (_make_directory, ("path",)),
}


def shown_address(remote: str) -> str:
    """An address without the credentials that it may carry."""
    return re.sub(r"//[^/@]*@", "//", remote)


def _failure(function: str, reason: str) -> XapiError:
    return XapiError("XENAPI_PLUGIN_FAILURE", function, "Exception", reason)
