"""Strict reading of JSON that others may have written: sentences instead of tracebacks."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import sentence
from genrec_eval.core.faults import shown as shown_value
from genrec_eval.core.yaml import Node

T = TypeVar("T")
MOST_BYTES = 512 * 1024 * 1024


def read_json(path: Path, what: str) -> Any:
    """Parse a JSON file.

    Parameters
    ----------
    what
        What it should be, for the sentence: ``"a baseline"``.

    Raises
    ------
    UsageError
        When there is none, or it is no strict JSON: NaN, a key twice, cut off.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: larger than {MOST_BYTES >> 20} MB, which no file of ours is")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not {what}: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite_number
        )
    except json.JSONDecodeError as error:
        cut = ", and seems to be cut off" if not text.rstrip().endswith(("}", "]")) else ""
        raise UsageError(
            f"{path}:{error.lineno}: not valid JSON ({error.msg}{cut}); make it again from the run, or take"
            " it from version control"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not {what}: {error}") from None


def check_schema(document: Any, schema: str, shown: str) -> None:
    """Refuse what is another kind of document, or of a newer version."""
    kind, _, version = schema.rpartition("/")
    given = document.get("schema") if isinstance(document, dict) else None
    if given == schema:
        return
    found, _, number = str(given).rpartition("/")
    if found == kind and number.isdecimal() and len(number) < 10 and int(number) > int(version):
        raise UsageError(
            f"{shown} was written by a newer version of genrec-eval (format {number}, this one reads up to"
            f" {version}); upgrade with: pip install -U genrec-eval"
        )
    what = kind.rpartition("/")[2]
    raise UsageError(
        f"{shown} is no {what} of genrec-eval: its schema is {shown_value(given)}, not '{schema}'"
    )


def read_as(kind: type[T], document: Any, shown: str) -> T:
    """A data class or model from plain values; unknown keys, wrong types and infinities are refused."""
    try:
        found: T = TypeAdapter(kind).validate_python(_known(kind, document, shown))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        *above, last = fault["loc"] or ("",)
        missing = fault["type"] == "missing"
        place = ".".join(map(str, above if missing else fault["loc"]))
        said = f"missing key '{last}'" if missing else sentence(fault, Node(fault["input"], shown))
        raise UsageError(f"{shown}: {place}: {said}" if place else f"{shown}: {said}") from None
    return found


def _known(kind: type, document: Any, shown: str) -> Any:
    if not is_dataclass(kind):
        return document
    if not isinstance(document, dict):
        raise UsageError(f"{shown}: needs a mapping of keys to values")
    known = [field.name for field in fields(kind)]
    for key in document:
        if key not in known:
            raise UsageError(f"{shown}: unknown key '{key}'{did_you_mean(str(key), known)}")
        if isinstance(document[key], float) and not math.isfinite(document[key]):
            raise UsageError(f"{shown}: {key}: needs a finite number, not {document[key]}")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key '{twice}' is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _finite_number(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:24]} is not a finite number")
    return value
