#!/usr/bin/env python3
"""Counts the lines of files for Outlast: a child of the protocol outlast-exec/1.

    outlast run data/sample --include '*' --exec examples/exec/lines.py
"""
import base64
import json
import os
import socket

engine = socket.socket(fileno=int(os.environ["OUTLAST_EXEC_FD"]))
# Bytes on the way in, for lines are UTF-8 whatever the locale says; line feeds alone end them.
messages = engine.makefile("rb")


def send(message):
    engine.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")


def path_of(message):
    """The file's path; names that are not UTF-8 come as base64, too."""
    if "abs_bytes" in message:
        return base64.b64decode(message["abs_bytes"])
    return message["abs"]


def process(path):
    with open(path, "rb") as file:
        return {"lines": sum(1 for _ in file)}


for line in messages:
    message = json.loads(line)
    if message["type"] == "hello":
        send({"type": "ready", "version": 1, "identity": "lines/1", "window": 16})
    elif message["type"] == "file":
        try:
            result = process(path_of(message))
            send({"type": "result", "id": message["id"], "result": result})
        except Exception as error:  # whatever it is, it is this file's failure alone
            send({"type": "error", "id": message["id"], "class": "processor", "message": repr(error)})
    elif message["type"] == "stop":
        break
