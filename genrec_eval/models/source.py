"""Which code a Python model is made of: the part of its identity that changes when the code does."""

from __future__ import annotations

import hashlib
import inspect
import types
import uuid
from pathlib import Path
from typing import Any

from genrec_eval.core.fingerprint import digest_file

_PLAIN = (str, bytes, int, float, bool, type(None))


def file_of(target: Any) -> Path | None:
    """Source file that defines a function, class or instance; None for builtins and notebook cells."""
    subject = target if inspect.isroutine(target) or inspect.isclass(target) else type(target)
    try:
        found = inspect.getsourcefile(inspect.unwrap(subject))
    except (TypeError, ValueError):
        return None
    path = None if found is None else Path(found)
    return path if path is not None and path.is_file() else None


def file_digests(*paths: Path | None) -> list[str]:
    """SHA-256 of each different file's bytes, sorted."""
    return sorted({digest_file(path) for path in paths if path is not None})


def live_identity(target: Any) -> tuple[dict[str, Any], str | None]:
    """Identity of a callable that was handed over from a notebook or script.

    The source text identifies it only when nothing else decides its answers: a function that reads
    a variable from outside (a fitted model, a table) could answer differently under the same text,
    and cached answers would be silently wrong. Such a model gets an identity of its own.

    Returns
    -------
    identity, remark
        The remark says why answers cannot be reused in a later run; None when they can.
    """
    reason = _why_not(target)
    if reason is None:
        try:
            text = inspect.getsource(target)
        except (OSError, TypeError):
            reason = "its source text cannot be read"
        else:
            constants = _constants(target)
            spelled = text + "".join(f"\n{name} = {value!r}" for name, value in sorted(constants.items()))
            return {"source": hashlib.sha256(spelled.encode()).hexdigest()}, None
    cure = "name a file, as in 'model.py:recommend', to allow it"
    remark = f"answers are not reused by later runs: {reason}; {cure}"
    return {"unique": uuid.uuid4().hex}, remark


def _why_not(target: Any) -> str | None:
    if inspect.isclass(target):
        # The methods may read variables that closure inspection of a class does not show.
        for name, member in vars(target).items():
            if inspect.isfunction(member) and (reason := _why_not(member)) is not None:
                return f"method {name}: {reason}"
        return None
    if not inspect.isfunction(target):
        return f"the state of a {type(target).__name__} object is not part of its source text"
    try:
        outside = inspect.getclosurevars(target)
    except (TypeError, ValueError):
        return "the variables it reads cannot be told"
    for name, value in {**outside.nonlocals, **outside.globals}.items():
        if not isinstance(value, (*_PLAIN, types.ModuleType)):
            return f"it reads '{name}', a {type(value).__name__} from outside"
    for value in (*(target.__defaults__ or ()), *(target.__kwdefaults__ or {}).values()):
        if not isinstance(value, _PLAIN):
            return f"a default value is a {type(value).__name__}"
    return None


def _constants(target: Any) -> dict[str, Any]:
    functions = (
        [member for member in vars(target).values() if inspect.isfunction(member)]
        if inspect.isclass(target)
        else [target]
    )
    found: dict[str, Any] = {}
    for function in functions:
        outside = inspect.getclosurevars(function)
        for name, value in {**outside.nonlocals, **outside.globals}.items():
            found[name] = value.__name__ if isinstance(value, types.ModuleType) else value
    return found
