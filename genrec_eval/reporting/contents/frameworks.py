"""Laws and standards as indexes of evidence: present, partial, none; never that anything complies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from genrec_eval.core.content import content
from genrec_eval.core.faults import FileError, explain
from genrec_eval.core.yaml import plain, read_file
from genrec_eval.reporting.contents.evidence import Piece, piece
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.suite.framework import Framework, FrameworkRow

STATES = {
    "present": ("EVIDENCE PRESENT", "v-pass", "none"),
    "partial": ("PARTIAL", "v-open", "none"),
    "none": ("NONE", "v-none", "none"),
}
"""State of a row → word, shape, hue; no verdict, so in the ink of no verdict."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a framework beside what the run holds for it."""

    row: FrameworkRow
    state: str
    pieces: tuple[Piece, ...]

    @property
    def missing(self) -> list[str]:
        """Evidence that was asked for and is not there."""
        return [one.what for one in self.pieces if not one.found]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A framework with its rows looked up."""

    framework: Framework
    own: bool
    rows: tuple[Row, ...]

    def count(self, state: str) -> int:
        """Rows in that state."""
        return sum(row.state == state for row in self.rows)


def frameworks(on: Ground, places: dict[str, str]) -> list[Mapped]:
    """Shipped frameworks, then those of the suite."""
    own = list(on.audit.frameworks.values())
    shipped = [load_framework(path) for path in sorted((content("reports") / "frameworks").glob("*.yaml"))]
    return [
        Mapped(framework, number >= len(shipped), tuple(_row(on, row, places) for row in framework.rows))
        for number, framework in enumerate([*shipped, *own])
    ]


def _row(on: Ground, row: FrameworkRow, places: dict[str, str]) -> Row:
    pieces = tuple(piece(on, need, places) for need in row.needs)
    found = sum(bool(one.found) for one in pieces)
    state = "none" if not found else "partial" if found < len(pieces) or row.beyond else "present"
    return Row(row, state, pieces)


@cache  # the same files for every report of a process
def load_framework(path: Path) -> Framework:
    """Read a framework file.

    Raises
    ------
    FileError
        With every fault and its line.
    """
    node = read_file(path, path.name)
    try:
        return Framework.model_validate(plain(node))
    except ValidationError as error:
        raise FileError(explain(error, node)) from None
