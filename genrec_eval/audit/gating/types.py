"""The verdict of the gate: one object, from which exit code, terminal, JSON, JUnit and pages follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from genrec_eval.core.errors import Exit, UsageError
from genrec_eval.protocol.results import Direction, Ruling

SCHEMA = "genrec-eval/gate/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One rule for one model and slice.

    Attributes
    ----------
    verdict
        NOT_RUN where there is nothing to look at, or too little of it: coverage, not chance.
    reason
        In words, with the digits of the report.
    value, low, high
        The figure; for rules against the baseline the paired difference candidate − baseline.
    reference_value, candidate_value
        Of a rule against the baseline, over the pairs.
    n
        Units behind the figure: pairs, for rules against the baseline.
    p, p_adjusted
        One-sided, that the rule is broken by chance alone (two-sided for ``within``); adjusted over all rules
        of the gate. A row fails where ``p_adjusted`` is at most (1 - level) / 2.
    detectable
        Smallest true loss that this gate would notice with its power, at its adjusted level: from no change,
        and for floors, ceilings and ``better_by`` from the limit.
    power
        Probability that the rule passes if there is no change; None for rules that show nothing to be small.
    needed
        About how many units would decide.
    where
        ``file:line`` of the rule.
    """

    rule: str
    kind: str
    scenario: str
    metric: str
    model: str
    slice: str = "all"
    against: str | None = None
    margin: float
    verdict: Ruling
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    interval: str | None = None
    n: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    reference_value: float | None = None
    candidate_value: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    detectable: float | None = None
    power: float | None = None
    needed: int | None = None
    direction: Direction
    unit: str = ""
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """All rules of a gate.

    Attributes
    ----------
    run, baseline
        Labels: paths; ``baseline`` is None where no rule needs one.
    incomplete
        Why the run itself is incomplete: error budget, coverage floors, in words; empty where it is whole.
    warnings
        What a reader should know although it decides nothing.
    """

    run: str
    run_id: str
    suite: str
    baseline: str | None
    baseline_run: str | None
    adjust: str
    power: float
    inconclusive: Literal["fail", "warn", "pass"]
    rows: Sequence[GateRow]
    incomplete: Sequence[str] = ()
    warnings: Sequence[str] = ()

    @property
    def exit_code(self) -> Exit:
        """0 pass, 1 a rule is broken, 3 incomplete, 4 undecided; the first that applies of 1, 3, 4."""
        if any(row.verdict is Ruling.FAIL for row in self.rows):
            return Exit.CLAIM_FAILED
        if self.incomplete or any(row.verdict is Ruling.NOT_RUN for row in self.rows):
            return Exit.INCOMPLETE
        if self.inconclusive == "fail" and any(row.verdict is Ruling.INSUFFICIENT for row in self.rows):
            return Exit.INCONCLUSIVE
        return Exit.PASS

    def to_json(self) -> dict[str, Any]:
        """Plain dict, the schema's name and the exit code first."""
        return {"schema": SCHEMA, "exit_code": int(self.exit_code), **asdict(self)}

    @classmethod
    def from_json(cls, document: Any, shown: str = "gate.json") -> GateResult:
        """Read what :meth:`to_json` gave.

        Parameters
        ----------
        document
            Parsed JSON.
        shown
            Its name in messages.

        Raises
        ------
        UsageError
            When it is no such document, of a newer version, or its exit code does not follow from its rows.
        """
        from genrec_eval.audit.gating.reading import check_schema, read_as

        check_schema(document, SCHEMA, shown)
        given = {name: value for name, value in document.items() if name not in ("schema", "exit_code")}
        rows = given.get("rows")
        if isinstance(rows, list):
            given["rows"] = [read_as(GateRow, row, f"{shown}: rows[{i}]") for i, row in enumerate(rows)]
        found = read_as(cls, given, shown)
        if document.get("exit_code") != int(found.exit_code):
            raise UsageError(
                f"{shown}: exit_code is {document.get('exit_code')!r}, its rows give {int(found.exit_code)}:"
                " it was changed by hand; run 'genrec-eval gate' again"
            )
        return found
