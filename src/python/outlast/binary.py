"""The command `outlast`: where it is, and how settings become its flags."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional, Union

# What a setting's value may be: a text as in the guide, a number, yes or no, a path, or several of them.
Setting = Union[None, str, int, float, bool, "os.PathLike[str]", Iterable[Union[str, int, "os.PathLike[str]"]]]
Pathlike = Union[str, "os.PathLike[str]"]


def find() -> str:
    """Returns the path of the command: that of this package, else the first in `PATH`.

    Raises `FileNotFoundError` where there is none.
    """
    user = sysconfig.get_preferred_scheme("user") if hasattr(sysconfig, "get_preferred_scheme") else "posix_user"
    folders = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", scheme=user),
        # `pip install --target`.
        str(Path(__file__).resolve().parents[1] / "bin"),
        os.path.dirname(sys.executable or ""),
    ]
    for folder in filter(None, folders):
        found = os.path.join(folder, "outlast")
        if os.access(found, os.X_OK) and os.path.isfile(found):
            return found
    in_path = shutil.which("outlast")
    if in_path is None:
        raise FileNotFoundError(f"there is no command `outlast`, neither in {folders[0]} nor in PATH: install outlast")
    return in_path


def state_folder(state: Optional[Pathlike]) -> str:
    """Returns the path of a state: the one that is given, else the environment's or the default, as for the command."""
    return os.fspath(state) if state is not None else os.environ.get("OUTLAST_STATE") or ".outlast"


def flags(settings: Mapping[str, Setting]) -> list[str]:
    """Returns settings as flags: `batch_size=500` is `--batch-size 500`, a list one flag for each of it, `True` a flag
    alone; `None` and `False` are none."""
    found: list[str] = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            found.append(flag)
        elif isinstance(value, (str, int, float, os.PathLike)):
            # In one word: a value may begin with a hyphen.
            found.append(f"{flag}={_text(value)}")
        else:
            found.extend(f"{flag}={_text(one)}" for one in value)
    return found


def _text(value: Union[str, int, float, os.PathLike[str]]) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
