"""How a function is named, so that another process can import it.

Constraints: what can't be imported there is refused here, with a sentence that says what to do.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

# A module's name while a worker imports the program that started the run.
MAIN = "__outlast_main__"
# Characters of a module file's digest in an identity.
_DIGEST = 16
_MODULE = "put it into a module of its own, as in `from parsers import parse`, and give that"

# Whether this process imports a function just now: a run that begins then would start processes without end.
is_importing = False


class NotImportable(ValueError):
    """A function that another process can't import; the message says what to do."""


@dataclass(frozen=True)
class Reference:
    """A function by its name."""

    # MODULE:FUNCTION
    name: str
    # The module's file, if it has one.
    file: Optional[str]


def of(function: Union[str, Reference, Callable[..., Any]]) -> Reference:
    """Returns the reference to a function, or to one that is named as `module:function`.

    Raises `NotImportable`.
    """
    if isinstance(function, Reference):
        return function
    if isinstance(function, str):
        if function.count(":") != 1:
            raise NotImportable(f"{function!r} names no function: it must be module:function")
        return Reference(function, None)
    name = getattr(function, "__qualname__", None)
    module_name = getattr(function, "__module__", None)
    if not isinstance(name, str) or not isinstance(module_name, str):
        raise NotImportable(f"{function!r} is an object without a name of its own: give a function that a module defines")
    if "<" in name:
        kind = "a lambda" if name.endswith("<lambda>") else "defined within another function"
        raise NotImportable(f"{name} is {kind}, which another process can't import: define it at the top of a module")
    bound_to = getattr(function, "__self__", None)
    if bound_to is not None and not inspect.ismodule(bound_to) and not isinstance(bound_to, type):
        raise NotImportable(f"{name} is a method of an object, which another process does not have: give a function")
    module = sys.modules.get(module_name)
    if _found(module, name) != function:
        raise NotImportable(f"{module_name}.{name} is another object than this function: give the one with that name")
    file = getattr(module, "__file__", None)
    # The second is the name of the program in a process that `multiprocessing` has started.
    if module_name in ("__main__", "__mp_main__"):
        return _of_main(module, name, file)
    return Reference(f"{module_name}:{name}", os.path.abspath(file) if file else None)


def _of_main(module: Any, name: str, file: Optional[str]) -> Reference:
    """Returns the reference to a function of the program itself, which is imported by its file."""
    spec = getattr(module, "__spec__", None)
    if spec is not None and spec.name and file:
        # Started by `python -m`.
        return Reference(f"{spec.name}:{name}", os.path.abspath(file))
    if file and os.path.isfile(file) and not _is_notebook():
        return Reference(f"{MAIN}:{name}", os.path.abspath(file))
    if _is_notebook():
        raise NotImportable(
            f"{name} is defined in a notebook, which another process can't import: begin a cell with "
            f"`%%writefile my_{name}.py`, put the function there, and in another cell `from my_{name} import {name}`"
        )
    raise NotImportable(f"{name} is defined where no file is, such as at Python's prompt or by `python -c`: {_MODULE}")


def _is_notebook() -> bool:
    return "ipykernel" in sys.modules or hasattr(sys.modules["__main__"], "get_ipython")


def imported(name: str, file: Optional[str]) -> Callable[..., Any]:
    """Imports a function by its reference, in a worker.

    Raises `NotImportable`; whatever the module raises goes through.
    """
    global is_importing
    module_name, _, function_name = name.partition(":")
    is_importing = True
    try:
        module = _of_file(MAIN, file) if module_name == MAIN and file else _by_name(module_name, file)
    finally:
        is_importing = False
    function = _found(module, function_name)
    if not callable(function):
        raise NotImportable(f"module {module_name} ({module.__file__}) has no function {function_name}")
    found: Callable[..., Any] = function
    return found


def _by_name(name: str, file: Optional[str]) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        if file is None:
            raise NotImportable(f"there is no module {name}; modules are searched in {sys.path}") from error
        return _of_file(name, file)


def _of_file(name: str, file: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise NotImportable(f"{file} can't be imported as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _found(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def identity(name: str, file: Optional[str], version: Optional[str]) -> str:
    """Returns name and version of a processor: the version that is given, else a digest of the module's file."""
    module_name, _, function_name = name.partition(":")
    if module_name == MAIN and file:
        module_name = os.path.splitext(os.path.basename(file))[0]
    if version is None:
        module = sys.modules.get(module_name)
        path = file or getattr(module, "__file__", None)
        version = _digest(path) if path else "builtin"
    return f"{module_name}.{function_name}/{version}"


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.blake2b(file.read()).hexdigest()[:_DIGEST]
