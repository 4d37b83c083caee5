#!/usr/bin/env -S python3 -S
"""In the place of `repose`: has the command run by a process that has every library loaded: see server.py."""

import os
import socket
import sys

channel = socket.socket(socket.AF_UNIX)
channel.connect(os.environ["REPOSE_PRELOADED"])
words = [os.getcwd(), str(len(sys.argv)), *sys.argv, *(f"{k}={v}" for k, v in os.environ.items())]
message = "\0".join(words).encode("utf-8", "surrogateescape")
socket.send_fds(channel, [len(message).to_bytes(8, "big")], [0, 1, 2])
channel.sendall(message)
sys.exit(int(channel.recv(8) or b"1"))
