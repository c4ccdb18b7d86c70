"""What a verification found: each difference with its file, row, column and both values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from genrec_eval.audit.chain.evidence import STATEMENT
from genrec_eval.core.errors import Exit

_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference.

    Attributes
    ----------
    file
        Path in the run.
    row
        Row of a table, from 0; None where it is about the file as a whole.
    name
        What the row is called: key of a JSON file, payload, or case, model and metric of a table's row.
    column
        Column or field, where it is known.
    said
        What happened, in words that go on from the place.
    recorded, found
        Both values, as JSON values; None where only digests are known.
    """

    file: str
    said: str
    row: int | None = None
    name: str | None = None
    column: str | None = None
    recorded: Any = None
    found: Any = None
    values: bool = False
    """Whether ``recorded`` and ``found`` are known; either may be null."""

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        if self.name is not None:
            place += f" ({self.name})" if self.row is not None else f", {self.name}"
        if self.column is not None:
            place += f", {self.column}"
        both = f": {shown(self.recorded)} recorded, {shown(self.found)} found" if self.values else ""
        return f"{place}: {self.said}{both}"


def shown(value: Any) -> str:
    """A value as JSON, shortened.

    >>> shown(None), shown(0.1), shown("PASS")
    ('null', '0.1', '"PASS"')
    """
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@dataclass(slots=True, kw_only=True)
class Verification:
    """What was checked of a run, and what came of it.

    Attributes
    ----------
    findings
        Differences, those of earlier files first.
    checked
        What was held against what, and fits.
    unchecked
        What was not checked, and why.
    notes
        What is no difference and worth knowing.
    """

    run: str
    root: str
    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: str | None = None
    """Why the numbers could not be recomputed, where that was tried."""

    @property
    def exit_code(self) -> Exit:
        """0 where everything fits, 1 where anything differs, 2 where the numbers could not be made again."""
        if self.findings:
            return Exit.CLAIM_FAILED
        return Exit.PASS if self.failed is None else Exit.USAGE

    def to_json(self) -> dict[str, Any]:
        """Plain dict, for ``--json``."""
        return {
            "schema": "genrec-eval/verification/1",
            "ok": self.exit_code == Exit.PASS,
            "exit_code": int(self.exit_code),
            **asdict(self),
            "statement": STATEMENT,
        }
