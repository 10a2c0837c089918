"""Run inside an environment of its own, with nothing but cinderlib: volumes without a Cinder service, told as JSON.

It knows nothing of the simulator.
"""

from typing import Any

import cinderlib  # type: ignore[import-not-found]  # only there

HOST = {"initiator": "iqn.1994-05.com.redhat:compute1", "host": "compute1", "ip": "127.0.0.1", "multipath": False}


def backend_of(first: dict[str, Any]) -> Any:
    """Make a backend as a program that embeds cinderlib does."""
    return cinderlib.Backend(
        volume_backend_name=f"element-{first['port']}",
        volume_driver="cinder.volume.drivers.solidfire.SolidFireDriver",
        san_ip=first["host"],
        sf_api_port=first["port"],
        san_login=first["username"],
        san_password=first["password"],
    )


def life(doors: list[dict[str, Any]]) -> Any:
    """Create, extend and connect a volume, snapshot it, copy both, and delete a copy."""
    backend = backend_of(*doors)
    volume = backend.create_volume(1, name="disk")
    volume.extend(2)
    snapshot = volume.create_snapshot(name="first")
    clone = volume.clone(name="clone")
    restored = snapshot.create_volume(name="restored")
    connection = volume.connect(HOST)
    properties = connection.connection_info["conn"]["data"]
    connection.disconnect(force=True)
    clone.delete()
    return {
        "ids": {"volume": volume.id, "snapshot": snapshot.id, "restored": restored.id},
        "sizes": [volume.size, clone.size, restored.size],
        "connection": [properties["target_portal"], properties["target_iqn"], properties["auth_method"]],
        "known": sorted(known.name for known in backend.volumes),
        "free": backend.stats()["free_capacity_gb"] > 0,
    }


def end(doors: list[dict[str, Any]]) -> Any:
    """Take a snapshot of a volume, then delete both."""
    backend = backend_of(*doors)
    volume = backend.create_volume(1, name="disk")
    volume.create_snapshot(name="first").delete()
    volume.delete()
    return [known.name for known in backend.volumes]


cinderlib.setup(disable_logs=True)
PARTS = {part.__name__: part for part in (life, end)}
