"""The bridge to drivers of the Container Storage Interface: `csi+unix:///csi.sock`, `csi+cmd:COMMAND`.

gRPC is an extra of its own, `pip install 'snapproof[csi]'`, and is imported in calls.py alone.
"""
