"""The bridge to drivers of the Container Storage Interface: `csi+unix:///csi.sock`, `csi+cmd:COMMAND`.

gRPC and protocol buffers are an extra of their own, `pip install 'snapproof[csi]'`: calls.py alone imports the one,
messages.py alone the other.
"""
