#!/usr/bin/env python3
"""Waits at a console socket for a terminal's master and copies what comes out of it to standard output."""

import array
import os
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
master = array.array("i", ancillary[0][2])[0]
try:
    while data := os.read(master, 4096):
        sys.stdout.buffer.write(data)
except OSError:  # the other end is closed
    pass
