# SPDX-License-Identifier: Apache-2.0
"""From the text of an entry to an instance of its `LocalModel` class."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

from lao.workflow.inference import LocalModel, ModelProblem

_METHODS = ("describe", "load", "infer")


def open_entry(entry: str) -> LocalModel:
    """Import `package.module:Class` or `/absolute/path.py[:Class]`; make one.

    Raises:
        ModelProblem: there is no such file or class, or it is no model.
        Exception: whatever the module raises while it is imported.
    """
    place, name = split_entry(entry)
    module = _from_file(Path(place)) if place.startswith("/") else _by_name(place)
    found = getattr(module, name, None) if name else _the_only_model(module, place)
    if not isinstance(found, type):
        raise _problem(f"{place} has no class {name!r}", "name a class that it defines")
    missing = [method for method in _METHODS if not hasattr(found, method)]
    if missing:
        what = f"{found.__name__} in {place} has no {_and(missing)}"
        raise _problem(what, f"a model defines {_and(_METHODS)}")
    return cast("LocalModel", found())


def split_entry(entry: str) -> tuple[str, str]:
    """Return the module or file of an entry, and the class name, possibly empty."""
    place, colon, name = entry.rpartition(":")
    if not colon or entry.endswith(".py"):
        return entry, ""
    return place, name


def files_of(entry: str) -> tuple[str, ...]:
    """Return the file that an entry names, if it names one and not a module."""
    place, _ = split_entry(entry)
    return (place,) if place.startswith("/") else ()


def _by_name(name: str) -> ModuleType:
    return importlib.import_module(name)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise _problem(f"there is no file {path}", "check the path")
    spec = importlib.util.spec_from_file_location("lao_custom_model", path)
    if spec is None or spec.loader is None:
        raise _problem(f"{path} is not a Python file", "give a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _the_only_model(module: ModuleType, place: str) -> type:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and all(hasattr(value, method) for method in _METHODS)
    ]
    if len(found) != 1:
        what = f"{place} defines {len(found)} classes with {_and(_METHODS)}"
        raise _problem(what, "write the one to use after a colon, as in model.py:Class")
    return found[0]


def _problem(what: str, mend: str) -> ModelProblem:
    return ModelProblem("worker.start-failed", what, mend=mend, unavailable=True)


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
