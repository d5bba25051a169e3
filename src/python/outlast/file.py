"""The file that a function is given."""

from __future__ import annotations

import base64
import io
import os
import pathlib
from collections.abc import Mapping
from typing import IO, Any, Optional, Union


def path_in(message: Mapping[str, Any], name: str) -> str:
    """Returns the path under this name in a message or a record, where one that is not UTF-8 has its bytes beside it."""
    raw = message.get(f"{name}_bytes")
    path: str = message[name] if raw is None else os.fsdecode(base64.b64decode(raw))
    return path


class File(os.PathLike):  # type: ignore[type-arg]
    """One file of a run, with the reading methods of `pathlib.Path`.

    It is a path wherever Python takes one: `open(file)`, `Path(file)`, `os.stat(file)`. Its content as the engine has
    read it, hashed as `digest`, is what `read_bytes` returns if the engine sent it along.
    """

    __slots__ = ("_absolute", "_content", "_message")

    def __init__(self, message: dict[str, Any], content: Optional[bytes] = None) -> None:
        """Takes a message `file` of the protocol `outlast-exec/1`, and the content if it came along."""
        self._message = message
        self._content = content
        self._absolute: Optional[str] = None

    @classmethod
    def at(cls, path: Union[str, os.PathLike[str]]) -> File:
        """Returns the file at a path without an engine, for a test of a function. Its digest is empty.

        Raises `OSError` where there is none.
        """
        absolute = os.path.abspath(path)
        size = os.stat(absolute).st_size
        name = os.path.basename(absolute)
        return cls({"abs": absolute, "path": name, "root": "", "size": size, "digest": ""})

    def __fspath__(self) -> str:
        absolute = self._absolute
        if absolute is None:
            absolute = self._absolute = path_in(self._message, "abs")
        return absolute

    __str__ = __fspath__

    def __repr__(self) -> str:
        return f"outlast.File({self.__fspath__()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and self.__fspath__() == other.__fspath__()

    def __hash__(self) -> int:
        return hash(self.__fspath__())

    @property
    def path(self) -> str:
        """The path below the root, as in the record. Bytes that are not UTF-8 are surrogates, as in `os.fsdecode`."""
        return path_in(self._message, "path")

    @property
    def root(self) -> str:
        """The name of the root, as in the record."""
        root: str = self._message["root"]
        return root

    @property
    def size(self) -> int:
        """The length of the content, in bytes."""
        size: int = self._message["size"]
        return size

    @property
    def digest(self) -> str:
        """The BLAKE3 digest of the content, in hex."""
        digest: str = self._message["digest"]
        return digest

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.__fspath__())

    @property
    def stem(self) -> str:
        """The name without its last extension."""
        return self.as_path().stem

    @property
    def suffix(self) -> str:
        """The last extension, with its dot."""
        return self.as_path().suffix

    @property
    def suffixes(self) -> list[str]:
        """All extensions."""
        return self.as_path().suffixes

    @property
    def parent(self) -> pathlib.Path:
        """The folder."""
        return self.as_path().parent

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the absolute path."""
        return self.as_path().parts

    def as_path(self) -> pathlib.Path:
        """Returns the absolute path."""
        return pathlib.Path(self.__fspath__())

    def read_bytes(self) -> bytes:
        """Returns the content. Raises `OSError` where it can't be read."""
        if self._content is not None:
            return self._content
        with open(self.__fspath__(), "rb", buffering=0) as file:
            return file.read()

    def read_text(self, encoding: Optional[str] = None, errors: Optional[str] = None) -> str:
        """Returns the content as text, as `pathlib.Path.read_text` does.

        Raises `OSError` where it can't be read, `UnicodeDecodeError` where it is not of this encoding.
        """
        with self.open("r", encoding=encoding, errors=errors) as file:
            text: str = file.read()
            return text

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: Optional[str] = None,
        errors: Optional[str] = None,
        newline: Optional[str] = None,
    ) -> IO[Any]:
        """Opens it for reading, as `pathlib.Path.open` does.

        Raises `ValueError` for a mode that writes: a run reads its files; and `OSError` where it can't be opened.
        """
        if set(mode) - set("rbt"):
            raise ValueError(f"mode {mode!r} writes, and a file of a run is there to be read")
        if self._content is None:
            return open(self.__fspath__(), mode, buffering, encoding, errors, newline)
        if "b" in mode:
            return io.BytesIO(self._content)
        return io.TextIOWrapper(io.BytesIO(self._content), encoding, errors, newline)

    def stat(self) -> os.stat_result:
        """Returns what the file system knows of it. Raises `OSError` where it is gone."""
        return os.stat(self.__fspath__())

    def exists(self) -> bool:
        """Returns whether it is still there."""
        return os.path.exists(self.__fspath__())

    def is_file(self) -> bool:
        """Returns whether it is still a file."""
        return os.path.isfile(self.__fspath__())

    def absolute(self) -> pathlib.Path:
        """Returns the absolute path."""
        return self.as_path()

    def resolve(self) -> pathlib.Path:
        """Returns the absolute path without links."""
        return self.as_path().resolve()
