"""Strict JSON: what is no number is null, what is no text is replaced, so that every parser reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrec_eval.reporting.html import write_page


def strict(document: Any) -> str:
    r"""Indented JSON without NaN, infinities and lone surrogates.

    >>> print(strict({"p": float("nan"), "text": "\ud800"}))
    {
     "p": null,
     "text": "\ufffd"
    }
    <BLANKLINE>
    """
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_strict(document: Any, path: Path) -> Path:
    """Write a document as strict JSON, whole or not at all, and return its path."""
    return write_page(path, strict(document))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(_plain(str(name))): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
