"""The gate: rules on a run to one verdict object.

Notation: D is the figure of a rule, for rules against the baseline the paired difference candidate −
baseline; [low, high] is its two-sided interval at the suite's level 1 − α, 95 % by default. Both are turned,
for ``better_by`` and ``not_worse_by``, so that greater is better. p' is p adjusted over all rows with one.

================ ========================== ======================================== ==================
rule             PASS                       FAIL                                     p
================ ========================== ======================================== ==================
``at_least``     low ≥ m                    p' ≤ α/2 and high < m                    P(D ≥ m), one-sided
``at_most``      high ≤ m                   p' ≤ α/2 and low > m                     P(D ≤ m), one-sided
``better_by``    low > m                    p' ≤ α/2 and high ≤ m                    P(D ≥ m), one-sided
``not_worse_by`` low ≥ −m, and powered      p' ≤ α/2 and low < −m                    P(D ≥ 0), one-sided
``within``       −m ≤ low, high ≤ m,        p' ≤ α/2 and low < −m or high > m        two-sided against 0
                 and powered
================ ========================== ======================================== ==================

Everything else is INSUFFICIENT.

**Shown losses.** ``not_worse_by`` fails as soon as a loss is shown and staying within the margin is not,
where the claim of the same name (:data:`genrec_eval.audit.rules.RULES`) fails only when the whole interval
lies beyond the margin. A claim describes; a gate must stop a shown regression even where its margin is wider
than what the run can resolve. A loss that is shown, and shown to be smaller than the margin, passes: that is
what a margin is for. ``within`` is the same in both directions.

**Many rules.** To pass, every rule must hold: an intersection-union test, which needs no adjustment (Berger
1982). To fail, one broken rule is enough, so the p-values of the failing direction are adjusted over all rows
that have one: by Holm the chance of any false alarm is at most α/2, by Benjamini and Hochberg the expected
share of false ones among the alarms. The threshold is α/2, so that a row never fails while the interval
beside it includes what it is held against.

Resamples of a handful of differences are too alike: 7 losses and no gain among 50 pairs come by chance once
in 128 times, and one resample in 1,100 misses them all. So p of the last two rules is at least that of the
sign flips (:func:`~genrec_eval.stats.permutation.sign_flip`), where no more than 100 pairs differ: exact
whenever nothing changed, for then a difference is as likely as its opposite.

**Minimum power.** The power of ``not_worse_by`` and ``within`` is the probability that they pass if nothing
changed, with units that differ as much as these do: :mod:`genrec_eval.stats.margin_power`. Below the power
that the gate asks for, the rule is underpowered and INSUFFICIENT, also where the interval of this one run
clears the margin: a rule that unchanged models mostly fail to pass says little when one passes it, and
whoever may run again until it passes will see it pass. A loss that is shown fails in any case. Where no pair
differs at all there is no spread to go by: then the power is 1 where the interval, which bounds what so many
units may have failed to show, lies within the margin, and 0 where it does not.

**Detectable.** The smallest true loss for which a row fails with the power that the gate asks for, at level
1 − α / M for M rows with a p-value (Bonferroni's, which neither adjustment falls short of): for
``not_worse_by`` and ``within`` counted from no change, for the others from their limit. Where a run resolves
its margin, a loss must be so large that staying within the margin is no longer shown. New losses of a metric
of 0 and 1, and of metrics of which no pair differs, bring spread of their own: q + loss · w − loss², with q
of the pairs that differ both ways alike and w the width of the metric.

**Coverage** comes before chance: what lies beyond the error budget, below ``min_scored`` or below
``min_paired`` is NOT-RUN, because what is missing is rarely missing by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from genrec_eval.audit.gating.blur import Blurred, blurred
from genrec_eval.audit.gating.comparable import check_comparable, remarks
from genrec_eval.audit.gating.figures import Figure, Floors, figure_of
from genrec_eval.audit.gating.resolution import (
    POWERED,
    clipped,
    detectable_loss,
    needed_units,
    power_of,
    turn,
    turned,
)
from genrec_eval.audit.gating.subjects import Held, subjects
from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.audit.gating.words import reason_of, row_of
from genrec_eval.audit.rules import RULES
from genrec_eval.audit.sources.base import Measured, Source
from genrec_eval.audit.verdicts import incomplete
from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import count, exact
from genrec_eval.protocol.results import Coverage, Ruling
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fitting import fit_each
from genrec_eval.stats.multiplicity import benjamini_hochberg, holm
from genrec_eval.stats.permutation import REPLICATES, Alternative, sign_flip
from genrec_eval.suite.gate import AGAINST_BASELINE, Gate

FEW_DIFFERENCES = 100
"""Up to so many differences other than 0 a loss must also be more than signs that fall by chance."""


def gate(
    run: Measured,
    rules: Gate,
    baseline: Source | None = None,
    *,
    level: float = 0.95,
    where: Sequence[str | None] = (),
) -> GateResult:
    """Hold a run to the rules of a gate.

    Parameters
    ----------
    run
        The candidate.
    rules
        ``gate:`` of a suite.
    baseline
        What rules with a margin compare with; None where there is no such rule.
    level
        Of the intervals.
    where
        ``file:line`` of each rule.

    Returns
    -------
    GateResult
        With at least one row per rule; :attr:`~GateResult.exit_code` follows from it.

    Raises
    ------
    UsageError
        When a rule names what is not there, has a limit that makes no sense for its metric, or compares with
        a baseline that asked, scored or judged otherwise.
    """
    against = [rule for rule in rules.rules if rule.kind in AGAINST_BASELINE]
    if against and baseline is None:
        raise UsageError(
            f"{len(against)} of {len(rules.rules)} rules of the gate compare with a baseline: name a run or a"
            " file with --baseline, or make one of a run that is good as it is: genrec-eval baseline save RUN"
        )
    held = Held(run, baseline if against else None)
    found = list(subjects(held, rules.rules, where))
    check_comparable(held, found)
    budget = run.error_budget if rules.error_budget is None else rules.error_budget
    floors = Floors(error_budget=budget, min_scored=rules.min_scored, min_paired=rules.min_paired)
    figures = [figure_of(held, subject, floors) for subject in found]
    seed = run.facts.seed
    if held.baseline is not None:
        seed = min(seed, held.baseline.facts.seed)  # as 'compare' has it: one pair, one set of resamples
    fits = _fits(figures, seed)
    raw = [_p(figure, fit, seed) for figure, fit in zip(figures, fits, strict=True)]
    tests = sum(p is not None for p in raw)
    adjusted = _adjusted(raw, rules.adjust)
    rows = [
        _row(figure, fit, p, corrected, rules, level, 1 if rules.adjust == "none" else tests)
        for figure, fit, p, corrected in zip(figures, fits, raw, adjusted, strict=True)
    ]
    return GateResult(
        run=run.label,
        run_id=run.facts.run,
        suite=run.facts.suite,
        baseline=held.baseline.label if held.baseline is not None else None,
        baseline_run=held.baseline.facts.run if held.baseline is not None else None,
        adjust=rules.adjust,
        power=rules.power,
        inconclusive=rules.inconclusive,
        rows=rows,
        incomplete=[said for row in run.coverage if (said := _incomplete(row, budget))],
        warnings=remarks(held, figures),
    )


def _fits(figures: Sequence[Figure], seed: int) -> list[Fitted | None]:
    """All samples together, because those of equally many units share their resamples."""
    fits: list[Fitted | None] = [
        blurred(figure.sample, figure.rounding) if figure.sample is not None and figure.rounding else None
        for figure in figures
    ]
    left = [i for i, figure in enumerate(figures) if figure.sample is not None and fits[i] is None]
    samples = [sample for i in left if (sample := figures[i].sample) is not None]
    for index, fit in fit_each(samples, seed):
        fits[left[index]] = fit
    return fits


def _p(figure: Figure, fitted: Fitted | None, seed: int) -> float | None:
    """That the rule is broken by chance alone: see the table above."""
    if fitted is None or fitted.fit is None:
        return None
    rule = figure.subject.rule
    if rule.kind == "within":
        return max(min(1.0, 2 * min(fitted.fit.tails(0.0))), _flipped(figure, "two-sided", seed))
    if rule.kind == "not_worse_by":
        side = 0 if turned(figure) else 1
        return max(fitted.fit.tails(0.0)[side], _flipped(figure, ("greater", "less")[side], seed))
    if rule.kind == "better_by":
        return fitted.fit.tails(-rule.margin)[0] if turned(figure) else fitted.fit.tails(rule.margin)[1]
    return fitted.fit.tails(rule.margin)[1 if rule.kind == "at_least" else 0]


def _flipped(figure: Figure, alternative: Alternative, seed: int) -> float:
    """p of a few differences under flips of their signs; 0 where there are many, or the value is no mean."""
    sample = figure.sample
    if sample is None or sample.minus is not None or sample.total is not None:
        return 0.0
    values = sample.values[sample.scored]
    values = values[np.abs(values) > figure.rounding]
    if len(values) > FEW_DIFFERENCES:
        return 0.0
    found = sign_flip(values, seed, alternative=alternative)
    # drawn patterns tell nothing finer than this; all signs alike has a probability that is known
    return found if found > 10 / REPLICATES else max(0.0, 0.5 ** len(values))


def _adjusted(raw: Sequence[float | None], how: str) -> list[float | None]:
    there = [p for p in raw if p is not None]
    if not there or how == "none":
        return list(raw)
    found = iter((holm if how == "holm" else benjamini_hochberg)(there).tolist())
    return [None if p is None else next(found) for p in raw]


def _row(
    figure: Figure,
    fitted: Fitted | None,
    p: float | None,
    p_adjusted: float | None,
    rules: Gate,
    level: float,
    tests: int,
) -> GateRow:
    row = row_of(figure, fitted, level)
    if figure.lacking is not None:
        return replace(row, verdict=Ruling.NOT_RUN, reason=figure.lacking)
    if figure.small is not None:
        return replace(row, reason=figure.small)
    assert fitted is not None
    if fitted.fit is None or fitted.value is None:
        return replace(row, reason=reason_of(row, figure, fitted))
    low, high = clipped(fitted.fit.ends(level), figure)
    shown = p_adjusted is not None and p_adjusted <= (1 - level) / 2
    row = replace(
        row,
        low=low,
        high=high,
        interval=fitted.fit.method,
        p=p,
        p_adjusted=p_adjusted,
        detectable=detectable_loss(figure, fitted, rules.power, level, tests),
        power=power_of(figure, fitted, level),
    )
    kind, margin, flip = figure.subject.rule.kind, figure.subject.rule.margin, turned(figure)
    ends = turn((low, high), flip)
    passes = RULES[kind].passes(*ends, margin)
    if kind in POWERED:
        # rounded scores: what cannot be excluded to pass does not fail either
        inner = fitted.fit.inner(level) if isinstance(fitted.fit, Blurred) else (low, high)
        possible = RULES[kind].passes(*turn(inner, flip), margin)
        fails = shown and not possible
    else:
        fails = shown and RULES[kind].fails(*ends, margin)
    weak = row.power is not None and row.power < rules.power
    if fails:
        row = replace(row, verdict=Ruling.FAIL)
    elif passes and not weak:
        row = replace(row, verdict=Ruling.PASS)
    else:
        row = replace(row, needed=needed_units(row, figure, fitted, rules.power if weak else None, level))
    return replace(
        row, reason=reason_of(row, figure, fitted, asked=rules.power if weak else None, tests=tests)
    )


def _incomplete(row: Coverage, budget: float) -> str | None:
    if row.due:
        return f"{row.model} was not run in '{row.scenario}': {row.reason or 'its data are not there'}"
    if not incomplete(row, budget):
        return None
    why = f": {row.reason}" if row.reason else ""
    if row.state == "not-run":
        return f"{row.model} was not run in '{row.scenario}'{why}"
    return (
        f"{row.model} gave no usable answer to more than {exact(budget * 100)} % of"
        f" its cases in '{row.scenario}' ({count(row.answered)} of {count(row.attempted)} answered){why}"
    )
