"""Word lists as data: the YAML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from genrec_eval.core.yaml import plain, read_file

_FOLDER = Path(__file__).parent / "words"


@cache
def lexicon(name: str) -> Mapping[str, Any]:
    """The word lists of one file: name → words."""
    found: Mapping[str, Any] = plain(read_file(_FOLDER / f"{name}.yaml", f"{name}.yaml"))
    return found
