"""Claims and built-in checks to verdicts, and verdicts to the exit code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from genrec_eval.audit.decide import decide, family_words
from genrec_eval.audit.families import sizes_of
from genrec_eval.audit.held import Held, id_of
from genrec_eval.audit.published import PUBLISHED, decide_published
from genrec_eval.audit.rules import RULES
from genrec_eval.core.errors import Exit, did_you_mean
from genrec_eval.core.numbers import side
from genrec_eval.metrics.text.texts import NO_TOKEN
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.protocol.status import MALFORMED, Status
from genrec_eval.scenarios.base import Check
from genrec_eval.stats.multiplicity import simultaneous_level
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
    units
        Metric id → unit, for the words of the reasons.
    compared
        Metric id → group and metric whose means over that group it compares.
    tells
        Which groups make an estimate, as a clause, where its own scores say so; empty where they do not.
    held
        Key → what a claim about the figure is decided by.
    missing
        Why a figure that compares may not make a claim hold, as a clause: a model must not look fairer by
        failing, refusing or answering with nothing; empty where enough is there.
    """

    estimates: Mapping[Key, Estimate]
    coverage: Mapping[tuple[str, str], Coverage]
    error_budget: float
    units: Mapping[str, str] = field(default_factory=dict)
    compared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tells: Callable[[Estimate], str] = field(default=lambda estimate: "")
    held: Mapping[Key, Held] = field(default_factory=dict)
    missing: Callable[[Estimate], str] = field(default=lambda estimate: "")

    @classmethod
    def of(
        cls,
        estimates: Iterable[Estimate],
        coverage: Iterable[Coverage],
        error_budget: float,
        units: Mapping[str, str] | None = None,
        compared: Mapping[str, tuple[str, str]] | None = None,
    ) -> Evidence:
        """Index the rows."""
        return cls(
            estimates={(e.scenario, e.metric, e.model, e.slice, e.baseline): e for e in estimates},
            coverage={(row.model, row.scenario): row for row in coverage},
            error_budget=error_budget,
            units=units or {},
            compared=compared or {},
        )

    def named(self, scenario: str, spelling: str) -> str:
        """The id of the metric that a claim spells in its own way, as in ``ndcg(ideal=k)@10``."""
        return id_of(spelling, {m for s, m, *_ in self.estimates if s == scenario})

    def held_for(self, estimate: Estimate) -> Held | None:
        """What a claim about the estimate is decided by, where that is known."""
        scenario, metric, model, slice = estimate.scenario, estimate.metric, estimate.model, estimate.slice
        found = self.held.get((scenario, metric, model, slice, estimate.baseline))
        if found is not None or estimate.baseline is None:
            return found
        return self.held.get((scenario, metric, estimate.baseline, slice, model))

    def find(
        self, scenario: str, metric: str, model: str, slice: str, against: str | None
    ) -> Estimate | None:
        """The estimate; a paired difference is turned round when it is stored the other way."""
        found = self.estimates.get((scenario, metric, model, slice, against))
        if found is not None or against is None:
            return found
        found = self.estimates.get((scenario, metric, against, slice, model))
        return None if found is None else turned(found)

    def together(self, estimate: Estimate, held: Held | None, size: int) -> Estimate:
        """The estimate with an interval that holds together with those of ``size`` claims in all."""
        level = simultaneous_level(estimate.level, size)
        if level == estimate.level or estimate.low is None:
            return estimate
        assert held is not None  # what claims are about is kept
        found = held.at(level)
        return found if found.model == estimate.model else turned(found)

    def furthest_groups(self, estimate: Estimate) -> str:
        """Which groups make a gap, as the end of a sentence; nothing for what compares none.

        Groups that the gap leaves out as too small are not among them.
        """
        if told := self.tells(estimate):
            return f"; {told}"
        if estimate.metric not in self.compared or estimate.slice != "all" or estimate.baseline is not None:
            return ""
        by, base = self.compared[estimate.metric]
        least = _least(estimate.definition)
        found = {
            slice.removeprefix(f"{by}="): row
            for (scenario, metric, model, slice, against), row in self.estimates.items()
            if (scenario, metric, model, against) == (estimate.scenario, base, estimate.model, None)
            and slice.startswith(f"{by}=")
            and row.value is not None
            and row.n >= least
        }
        if len(found) < 2 or estimate.value is None:
            return ""
        values = {name: row.value or 0.0 for name, row in found.items()}
        high, low = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
        if high == low:
            return ""
        unit = self.units.get(base, "")
        shown = [side(values[name], found[name].low, found[name].high, unit) for name in (high, low)]
        if shown[0] == shown[1]:
            return f"; {base} is {shown[0]} in every group"
        return f"; {base} is highest for {high} ({shown[0]}), lowest for {low} ({shown[1]})"

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


def _least(definition: str) -> int:
    """The parameter ``least`` of a definition id."""
    found = re.search(r"[(,]least=(\d+)[,)]", definition)
    return int(found[1]) if found else 0


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
    """One gating verdict per claim; ``where`` gives each claim's ``file:line``.

    The claims of a family are held to intervals that hold together at the level of the suite: its size is the
    number of claims given, whether or not they could be run.
    """
    sizes = sizes_of(claims)
    return [
        _verdict(
            claim.claim,
            (
                claim.scenario,
                evidence.named(claim.scenario, claim.metric),
                claim.model,
                claim.slice,
                claim.against,
            ),
            claim.rule,
            claim.margin,
            evidence,
            tolerance=claim.tolerance,
            expected=claim.expected,
            gate=True,
            where=place,
            family=None if claim.family is None else (claim.family, sizes[claim.family]),
        )
        for claim, place in zip(claims, [*where, *[None] * (len(claims) - len(where))], strict=True)
    ]


def check_verdicts(
    checks: Iterable[Check], scenario: str, models: Sequence[str], evidence: Evidence
) -> list[Verdict]:
    """One verdict per built-in check and model that it applies to; most are shown and do not gate."""
    found = []
    scored = {model for where, _, model, *_ in evidence.estimates if where == scenario}
    for check in checks:
        whose = models if check.model is None else [check.model] if check.model in models else []
        keys = [(scenario, check.metric, model, check.slice, None) for model in whose]
        measured = any(evidence.find(*key) is not None for key in keys)
        for key in keys:
            estimate = evidence.find(*key)
            if estimate is None and measured and key[2] in scored and not check.gate:
                continue  # the metric is about other models, as an effect is not about the control
            if check.gate or _applies(estimate):
                found.append(
                    _verdict(
                        check.claim,
                        key,
                        check.rule,
                        check.margin,
                        evidence,
                        tolerance=check.tolerance,
                        gate=check.gate,
                    )
                )
    return found


def _applies(estimate: Estimate | None) -> bool:
    """False where answers came and none of them could be scored: scores are not given, times not known.

    Texts without a word are no such case: who says nothing is not spared a claim.
    """
    if estimate is None or estimate.scored > 0 or estimate.answered == 0:
        return True
    return NO_TOKEN in estimate.excluded


def _verdict(
    claim: str,
    key: Key,
    rule_name: str,
    margin: float,
    evidence: Evidence,
    *,
    tolerance: float | None = None,
    expected: Ruling = Ruling.PASS,
    gate: bool = False,
    where: str | None = None,
    family: tuple[str, int] | None = None,
) -> Verdict:
    scenario, metric, model, slice, against = key
    estimate = evidence.find(*key)
    held = None if estimate is None else evidence.held_for(estimate)
    if estimate is not None and family is not None:
        estimate = evidence.together(estimate, held, family[1])
    unit = evidence.units.get(metric, "")
    needed = None
    if estimate is None:
        ruling, said = Ruling.NOT_RUN, evidence.why_missing(*key)
    elif rule_name == PUBLISHED:
        ruling, said = decide_published(margin, tolerance or 0.0, estimate, unit)
    else:
        ruling, said, needed = decide(RULES[rule_name], margin, estimate, evidence.error_budget, unit, held)
        said += family_words(estimate, family)
        if ruling is Ruling.PASS and (lost := evidence.missing(estimate)):
            ruling, said = Ruling.INSUFFICIENT, said + lost
        said += evidence.furthest_groups(estimate)
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
        reason=said,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        margin=margin,
        rule=rule_name,  # type: ignore[arg-type]  # a check of another scenario may misspell its rule
        tolerance=tolerance,
        direction=estimate.direction if estimate else "none",
        needed=needed,
        where=where,
        level=estimate.level if estimate and estimate.low is not None else None,
        family=family[0] if family else None,
        family_size=family[1] if family else None,
    )


def exit_code(verdicts: Iterable[Verdict], coverage: Iterable[Coverage], error_budget: float) -> Exit:
    """The exit code of a run: what failed comes before what is missing, and that before what is open.

    Only gating verdicts count. A pairing that the suite leaves out on purpose, or that cannot be
    because the model does not answer that kind of request, has no planned case and counts as complete;
    one whose data are not there is missing.
    """
    gates = [verdict for verdict in verdicts if verdict.gate]
    decided = {Ruling.PASS, Ruling.FAIL}
    if any(v.verdict in decided and v.verdict is not v.expected for v in gates):
        return Exit.CLAIM_FAILED
    if any(v.verdict is Ruling.NOT_RUN for v in gates) or any(
        row.due or incomplete(row, error_budget) for row in coverage
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
