"""Named things that plug in: built-in, installed through an entry point, or ``module:attr``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean

_folder: ContextVar[Path | None] = ContextVar("folder of the suite", default=None)


@contextmanager
def relative_to(folder: Path) -> Iterator[None]:
    """Resolve ``file.py:name`` against ``folder``, the suite's, instead of the working folder."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


class Registry:
    """Lazy name → object table.

    Parameters
    ----------
    kind
        What the names stand for, in the singular (``"metric"``); used in messages.
    builtin
        Name → ``"module:attr"``; nothing is imported before it is asked for.
    group
        Entry-point group that installed packages may add to.
    """

    def __init__(self, kind: str, builtin: dict[str, str], group: str | None = None) -> None:
        self.kind = kind
        self.builtin = dict(builtin)
        self.group = group
        self.failures: dict[str, str] = {}

    @cached_property
    def installed(self) -> dict[str, str]:
        """Name → ``"module:attr"`` of plug-ins from other packages."""
        if self.group is None:
            return {}
        from importlib.metadata import entry_points

        return {entry.name: entry.value for entry in entry_points(group=self.group)}

    def names(self) -> list[str]:
        """All known names, sorted."""
        return sorted({*self.builtin, *self.installed})

    def get(self, name: str) -> Any:
        """Import and return what ``name`` stands for.

        Raises
        ------
        UsageError
            When the name is unknown or its plug-in cannot be imported.
        """
        target = self.builtin.get(name) or self.installed.get(name)
        if target is None and ":" in name:
            return load_object(name)
        if target is None:
            broken = "".join(f"; plug-in '{p}' failed to import: {why}" for p, why in self.failures.items())
            raise UsageError(
                f"unknown {self.kind} '{name}'{did_you_mean(name, self.names())}"
                f" (known: {', '.join(self.names())}){broken}"
            )
        try:
            return load_object(target)
        except UsageError as error:
            self.failures[name] = str(error)
            raise UsageError(f"{self.kind} '{name}' failed to import: {error}") from error


def load_object(target: str, base: Path | None = None) -> Any:
    """Import ``"package.module:attr"`` or ``"path/to/file.py:attr"``.

    Parameters
    ----------
    target
        What to import.
    base
        Folder that relative file paths are resolved against; that of :func:`relative_to` by default,
        else the working folder.
    """
    place, _, attribute = target.rpartition(":")
    if not place or not attribute:
        raise UsageError(f"'{target}' is not of the form module:name or file.py:name")
    try:
        module = _load_file(place, base) if place.endswith(".py") else importlib.import_module(place)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # a script that ends with sys.exit() must not end the run
        raise UsageError(f"importing '{place}' raised {type(error).__name__}: {error}") from error
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise UsageError(f"'{place}' has no '{part}'{did_you_mean(part, names)}")
        found = getattr(found, part)
    return found


def beside_suite(place: str, base: Path | None = None) -> Path:
    """The path ``place``, resolved as by :func:`load_object`."""
    return (base or _folder.get() or Path.cwd()) / place


def python_file(place: str, base: Path | None = None) -> Path:
    """The file ``"path/to/file.py"``, resolved as by :func:`load_object`.

    Raises
    ------
    UsageError
        When there is none.
    """
    path = beside_suite(place, base)
    if not path.is_file():
        near = did_you_mean(path.name, [other.name for other in path.parent.glob("*.py")])
        raise UsageError(f"no such Python file: {path}{near}")
    return path


def _load_file(place: str, base: Path | None) -> Any:
    path = python_file(place, base)
    name = f"genrec_eval_user_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look the module up by name
    spec.loader.exec_module(module)
    return module
