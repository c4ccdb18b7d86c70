"""Claims and built-in checks to verdicts, and verdicts to the exit code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from genrec_eval.audit.rules import RULES, Rule, difference, measured
from genrec_eval.core.errors import Exit, did_you_mean
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.protocol.status import MALFORMED, Status
from genrec_eval.scenarios.base import Check
from genrec_eval.stats.power import units_needed
from genrec_eval.suite.schema import Claim

Key = tuple[str, str, str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What claims are held against.

    Attributes
    ----------
    estimates
        By (scenario, metric, model, slice, baseline).
    coverage
        By (model, scenario).
    error_budget
        Share of the cases that may stay unanswered. Beyond it nothing is decided: which cases a model
        fails to answer is rarely chance, so what it answered says neither PASS nor FAIL.
    """

    estimates: Mapping[Key, Estimate]
    coverage: Mapping[tuple[str, str], Coverage]
    error_budget: float

    @classmethod
    def of(cls, estimates: Iterable[Estimate], coverage: Iterable[Coverage], error_budget: float) -> Evidence:
        """Index the rows."""
        return cls(
            estimates={(e.scenario, e.metric, e.model, e.slice, e.baseline): e for e in estimates},
            coverage={(row.model, row.scenario): row for row in coverage},
            error_budget=error_budget,
        )

    def find(
        self, scenario: str, metric: str, model: str, slice: str, against: str | None
    ) -> Estimate | None:
        """The estimate; a paired difference is turned round when it is stored the other way."""
        found = self.estimates.get((scenario, metric, model, slice, against))
        if found is not None or against is None:
            return found
        found = self.estimates.get((scenario, metric, against, slice, model))
        return None if found is None else turned(found)

    def why_missing(self, scenario: str, metric: str, model: str, slice: str, against: str | None) -> str:
        """Why there is no such estimate, as a clause."""
        for name in filter(None, (model, against)):
            row = self.coverage.get((name, scenario))
            if row is None or row.state == "not-run":
                said = f": {row.reason}" if row is not None and row.reason else ""
                return f"{name} was not run in '{scenario}'{said}"
        metrics = {m for s, m, *_ in self.estimates if s == scenario}
        if metric not in metrics:
            return f"'{scenario}' measures no '{metric}'{did_you_mean(metric, metrics)}"
        slices = {sl for s, m, _, sl, _ in self.estimates if (s, m) == (scenario, metric)}
        if slice not in slices:
            return f"'{scenario}' has no '{slice}' for {metric}{did_you_mean(slice, slices)}"
        return f"there is no comparison of {metric} between {model} and {against} for '{slice}'"


def turned(estimate: Estimate) -> Estimate:
    """The same paired difference seen from the baseline's side."""
    assert estimate.baseline is not None
    value, low, high = (None if x is None else 0.0 - x for x in (estimate.value, estimate.high, estimate.low))
    return replace(
        estimate, model=estimate.baseline, baseline=estimate.model, value=value, low=low, high=high
    )


def claim_verdicts(
    claims: Sequence[Claim], evidence: Evidence, where: Sequence[str | None] = ()
) -> list[Verdict]:
    """One gating verdict per claim; ``where`` gives each claim's ``file:line``."""
    return [
        _verdict(
            claim.claim,
            (claim.scenario, claim.metric.strip(), claim.model, claim.slice, claim.against),
            claim.rule,
            claim.margin,
            evidence,
            expected=claim.expected,
            gate=True,
            where=place,
        )
        for claim, place in zip(claims, [*where, *[None] * (len(claims) - len(where))], strict=True)
    ]


def check_verdicts(
    checks: Iterable[Check], scenario: str, models: Sequence[str], evidence: Evidence
) -> list[Verdict]:
    """One verdict per built-in check and model; they are shown and never gate."""
    return [
        _verdict(
            check.claim, (scenario, check.metric, model, "all", None), check.rule, check.margin, evidence
        )
        for check in checks
        for model in models
    ]


def _verdict(
    claim: str,
    key: Key,
    rule_name: str,
    margin: float,
    evidence: Evidence,
    *,
    expected: Ruling = Ruling.PASS,
    gate: bool = False,
    where: str | None = None,
) -> Verdict:
    scenario, metric, model, slice, against = key
    rule = RULES[rule_name]
    estimate = evidence.find(*key)
    if estimate is None:
        ruling, reason, needed = Ruling.NOT_RUN, evidence.why_missing(*key), None
    else:
        ruling, reason, needed = decide(rule, margin, estimate, evidence.error_budget)
    return Verdict(
        claim=claim,
        model=model,
        scenario=scenario,
        metric=metric,
        slice=slice,
        baseline=against,
        verdict=ruling,
        expected=expected,
        gate=gate,
        reason=reason,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        margin=margin,
        rule=rule.name,
        direction=estimate.direction if estimate else "none",
        needed=needed,
        where=where,
    )


def decide(
    rule: Rule, margin: float, estimate: Estimate, error_budget: float
) -> tuple[Ruling, str, int | None]:
    """Ruling, its reason in words, and about how many units would decide an open one."""
    value, low, high = estimate.value, estimate.low, estimate.high
    about = f"{estimate.model}'s {estimate.metric}" + (
        f" for {estimate.slice}" if estimate.slice != "all" else ""
    )
    if rule.directed and estimate.direction == "none":
        reason = f"{estimate.metric} has no better or worse; claim at_least, at_most or within instead"
        return Ruling.NOT_RUN, reason, None
    if value is None:
        return Ruling.INSUFFICIENT, f"{about} has no value: {estimate.reason}", None
    if estimate.answered < estimate.attempted * (1 - error_budget) - 1e-9:
        share = estimate.answered / estimate.attempted
        whom = f"both {estimate.model} and {estimate.baseline}" if estimate.baseline else estimate.model
        needed_share = f"{1 - error_budget:.0%}"
        reason = (
            f"only {share:.0%} of the cases were answered by {whom}, and a decision needs {needed_share}"
        ).replace("%", " %")
        return Ruling.INSUFFICIENT, reason, None
    if low is None or high is None:
        return Ruling.INSUFFICIENT, f"{about} is {value:.3g} without an interval: {estimate.reason}", None
    flip = rule.directed and estimate.direction == "lower"
    ruling = rule.decide(*((0.0 - high, 0.0 - low) if flip else (low, high)), margin)
    said = (measured if estimate.baseline is None else difference)(about, estimate)
    if ruling is not Ruling.INSUFFICIENT:
        return ruling, f"{said}, {rule.words[ruling].format(margin=margin)}", None
    held = rule.threshold(0.0 - value if flip else value, margin)
    held = 0.0 - held if flip else held
    needed = _needed(estimate, value, held, value - low if value > held else high - value)
    more = f"; about {needed - estimate.n:,} more units would settle it" if needed else ""
    return (
        ruling,
        f"{said}, which leaves open whether it is {rule.question.format(margin=margin)}{more}",
        needed,
    )


def _needed(estimate: Estimate, value: float, held: float, half: float) -> int | None:
    """Units that would settle it, if the value stays."""
    if estimate.interval == "jackknife" or value == held:
        return None  # what a run covers grows with its units, so its value would not stay
    if estimate.interval == "constant":  # a bound on what was never seen shrinks with 1 / n
        return math.floor(estimate.n * half / abs(value - held)) + 1
    return units_needed(value, held, half, estimate.n)


def exit_code(verdicts: Iterable[Verdict], coverage: Iterable[Coverage], error_budget: float) -> Exit:
    """The exit code of a run: what failed comes before what is missing, and that before what is open.

    Only gating verdicts count. A pairing that the suite leaves out on purpose, or that cannot be
    because the model does not answer that kind of request, has no planned case and counts as complete.
    """
    gates = [verdict for verdict in verdicts if verdict.gate]
    decided = {Ruling.PASS, Ruling.FAIL}
    if any(v.verdict in decided and v.verdict is not v.expected for v in gates):
        return Exit.CLAIM_FAILED
    if any(v.verdict is Ruling.NOT_RUN for v in gates) or any(
        incomplete(row, error_budget) for row in coverage
    ):
        return Exit.INCOMPLETE
    if any(v.verdict is Ruling.INSUFFICIENT for v in gates):
        return Exit.INCONCLUSIVE
    return Exit.PASS


def incomplete(row: Coverage, error_budget: float) -> bool:
    """Whether more of the planned cases stayed without a usable answer than the error budget allows."""
    left_out = row.statuses.get(Status.NOT_ATTEMPTED, 0)
    if row.state == "partial" and not left_out:
        return True  # it broke off, and nothing says how early
    planned = row.attempted + left_out
    usable = row.answered - sum(row.statuses.get(status, 0) for status in MALFORMED)
    return usable < planned * (1 - error_budget) - 1e-9
