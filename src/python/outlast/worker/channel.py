"""The socket to the engine: messages in, answers out.

Constraints: answers are kept until the next message would have to be waited for, or for a millisecond, since a
system call costs as much as an answer.
"""

from __future__ import annotations

import io
import json
import socket
import time
from typing import Any, Optional

# Bytes that are read at once: a window of small files.
READ = 256 << 10
# Answers may wait so long, in seconds, and be so long together, in bytes.
DELAY_MAX = 0.001
KEPT_MAX = 64 << 10

_decode = json.JSONDecoder().decode


def decoded(line: bytes | bytearray) -> dict[str, Any]:
    """Returns the message on a line."""
    message: dict[str, Any] = _decode(line.decode())
    return message


def encoder(default: Any = None) -> json.JSONEncoder:
    """Returns an encoder of messages, which fails for what JSON lacks."""
    return json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=default)


class _Incoming(io.RawIOBase):
    """The reading side. Whoever waits for a message has sent the answers before."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._channel.flush()
        return self._channel.socket.recv_into(buffer)


class Channel:
    """The worker's end of the socket, which blocks."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._incoming = io.BufferedReader(_Incoming(self), READ)
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._since = 0.0
        self._encode = encoder().encode

    def hello(self) -> dict[str, Any]:
        """Waits for the engine's first message. Raises `EOFError` where the engine is gone."""
        message = self.message()
        if message is None:
            raise EOFError("the engine is gone")
        return message

    def message(self) -> Optional[dict[str, Any]]:
        """Waits for the next message; none once the engine is gone."""
        line = self._incoming.readline()
        if not line.endswith(b"\n"):
            return None
        return decoded(line)

    def content(self, length: int) -> bytes:
        """Returns the bytes that follow a message. Raises `EOFError` where the engine is gone."""
        content = self._incoming.read(length)
        if len(content) < length:
            raise EOFError("the engine is gone")
        return content

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message at once."""
        self.answer(self._encode(message).encode() + b"\n")
        self.flush()

    def answer(self, line: bytes) -> None:
        """Sends a line soon: with others, if these come at once."""
        now = time.monotonic()
        if not self._kept:
            self._since = now
        self._kept.append(line)
        self._kept_bytes += len(line)
        if now - self._since > DELAY_MAX or self._kept_bytes > KEPT_MAX:
            self.flush()

    def flush(self) -> None:
        """Sends what is kept."""
        if self._kept:
            lines = b"".join(self._kept)
            self._kept.clear()
            self._kept_bytes = 0
            self.socket.sendall(lines)
