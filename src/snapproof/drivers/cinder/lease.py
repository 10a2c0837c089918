"""Stands for one life of a driver where the suite started it: has the nursery fork one, and ends when that ends.

Run as a file with the standard library alone, since it is started for every scenario.
"""

import json
import os
import socket
import sys

TOLD = "SNAPPROOF_"
"""What the life is told of its environment; the rest it has from the nursery."""

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as nursery:
        nursery.connect(sys.argv[1])
        told = {name: value for name, value in os.environ.items() if name.startswith(TOLD)}
        message = json.dumps({"group": os.getpgid(0), "environment": told}).encode()
        socket.send_fds(nursery, [message], [1, 2])
        os.close(1)
        os.close(2)
        nursery.recv(1)
    sys.exit(1)
