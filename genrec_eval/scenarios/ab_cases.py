"""The case table of an A/B test, its facts, and the scores of an arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.experiments.exposures import Exposures
from genrec_eval.metrics.arms import Arms, Outcome
from genrec_eval.metrics.base import Metric
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Vocabulary
from genrec_eval.scenarios.ab_looks import HARM, watch
from genrec_eval.scenarios.ab_test import NO_MISMATCH
from genrec_eval.scenarios.base import Prepared, ScoredUnits
from genrec_eval.stats.experiments import RatioCheck, cuped, sample_ratio

if TYPE_CHECKING:
    from genrec_eval.scenarios.ab_test import ABTestOptions

Bool = npt.NDArray[np.bool_]

_KNOWN_BEFORE = frozenset({"cuped_effect", "before_effect"})


def prepare(log: Any, options: ABTestOptions, metrics: Sequence[Metric]) -> Prepared:
    """See :meth:`genrec_eval.scenarios.ab_test.ABTest.prepare`."""
    if not isinstance(log, Exposures):
        raise UsageError(
            f"scenario 'ab-test' needs the exposures of an experiment, and data set '{log.name}' holds others"
        )
    _check(log, options, metrics)
    entered = np.full(len(log.users), log.days, np.int32)
    np.minimum.at(entered, log.user, log.day)
    words = pa.DictionaryArray.from_arrays(pa.array(log.arm), pa.array(list(log.arms)))
    columns: dict[str, Any] = {"case": log.users, "unit": log.users, "arm": words}
    columns |= {f"group.{name}": log.groups[name] for name in options.groups}
    columns["entered"] = entered
    age = log.day - entered[log.user]
    for name, values in log.outcomes.items():
        carried = ~np.isnan(values)
        columns |= {
            f"{what}.{name}": sums for what, sums in _sums(log, values, carried, age, options).items()
        }
        if name in log.before:
            columns[f"before.{name}"] = pa.array(log.before[name], mask=np.isnan(log.before[name]))
    for number, guardrail in enumerate(options.guardrails):
        values = log.outcomes[guardrail.outcome]
        columns[f"guardrail.{number}"] = _window(log, values, age, guardrail.window, guardrail.per)
    cases = pa.table(columns)
    arms = pa.table(
        {"arm": list(log.arms), "share": [float((log.shares or {}).get(name, 1.0)) for name in log.arms]}
    )
    span = pa.table({"days": [log.days], "label": [[log.label(day) for day in range(log.days)]]})
    context = {"arms": arms, "span": span}
    return Prepared(cases=cases, context=context, facts=_facts(log, options, cases, context))


def _check(log: Exposures, options: ABTestOptions, metrics: Sequence[Metric]) -> None:
    """Refuse what the log does not hold, before anything is played."""
    if options.control not in log.arms:
        raise UsageError(
            f"control: the log has no arm '{options.control}'{did_you_mean(options.control, log.arms)}"
            f" (arms: {', '.join(log.arms)})"
        )
    for group in options.groups:
        if group not in log.groups:
            raise UsageError(
                f"groups: the log has no group '{group}'{did_you_mean(group, log.groups)}"
                f" (groups: {', '.join(log.groups) or 'none'})"
            )
    needed: list[tuple[str, str | None]] = [("guardrails", rule.outcome) for rule in options.guardrails]
    needed += [(f"metric '{one.id}'", one.parameters.get("outcome")) for one in metrics]
    for what, outcome in needed:
        if outcome is not None and outcome not in log.outcomes:
            raise UsageError(
                f"{what}: the log has no outcome '{outcome}'{did_you_mean(outcome, log.outcomes)}"
                f" (outcomes: {', '.join(log.outcomes)})"
            )
    for one in metrics:
        if one.definition.name in _KNOWN_BEFORE and one.parameters["outcome"] not in log.before:
            raise UsageError(
                f"metric '{one.id}': the log does not say what '{one.parameters['outcome']}' was before the"
                " experiment; name the column with before"
            )
    names = [guardrail.outcome for guardrail in options.guardrails]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"guardrails: '{twice[0]}' is named twice; one outcome has one guardrail")


def _sums(
    log: Exposures, values: Float64, carried: Bool, age: Int32, options: ABTestOptions
) -> dict[str, Float64]:
    n = len(log.users)
    first = age < options.first_days
    masks = {"total": carried, "first": carried & first, "later": carried & ~first}
    sums: dict[str, Float64] = {
        what: np.bincount(log.user[mask], weights=values[mask], minlength=n).astype(np.float64, copy=False)
        for what, mask in masks.items()
    }
    return {**sums, "exposures": np.bincount(log.user[carried], minlength=n).astype(np.float64)}


def _window(log: Exposures, values: Float64, age: Int32, window: int, per: str) -> Float64:
    n = len(log.users)
    mask = ~np.isnan(values) & (age < window)
    sums: Float64 = np.bincount(log.user[mask], weights=values[mask], minlength=n).astype(
        np.float64, copy=False
    )
    if per == "user":
        return sums
    return sums / np.maximum(np.bincount(log.user[mask], minlength=n), 1)


def _facts(
    log: Exposures, options: ABTestOptions, cases: pa.Table, context: Mapping[str, pa.Table]
) -> dict[str, Any]:
    check = _ratio(cases, context)
    experiment = {
        "control": options.control,
        "arms": dict(zip(log.arms, np.bincount(log.arm, minlength=len(log.arms)).tolist(), strict=True)),
        "planned": dict(zip(log.arms, [round(want, 1) for want in check.expected], strict=True)),
        "sample_ratio_p": check.p,
        "sound": check.p >= NO_MISMATCH,
        "first": log.label(0),
        "last": log.label(log.days - 1),
        "days": log.days,
        "first_days": options.first_days,
        "missing": options.missing,
        "cuped": {
            name: {"theta": found.theta, "variance_removed": found.reduction, "unknown_users": found.without}
            for name in log.before
            if (found := _cuped(cases, name)) is not None
        },
    }
    guardrails = []
    for arm in log.arms:
        if arm == options.control:
            continue
        for number, guardrail in enumerate(options.guardrails):
            rows = _looks(cases, context, options, arm, number)
            guardrails.append({"arm": arm, **guardrail.model_dump(), "looks": rows})
    return {"users": len(cases), "experiment": experiment, "guardrails": guardrails}


def _ratio(cases: pa.Table, context: Mapping[str, pa.Table]) -> RatioCheck:
    names, shares = (context["arms"].column(name).to_pylist() for name in ("arm", "share"))
    arm = _arm(cases, names)
    return sample_ratio(np.bincount(arm, minlength=len(names)).tolist(), shares)


def _arm(cases: pa.Table, names: Sequence[str]) -> Int64:
    """int64[n], the arm of each user, as a place in ``names``."""
    return Vocabulary(pa.array(names)).encode(cases.column("arm").cast(pa.string())).astype(np.int64)


def _looks(
    cases: pa.Table, context: Mapping[str, pa.Table], options: ABTestOptions, arm: str, number: int
) -> list[dict[str, Any]]:
    names = context["arms"].column("arm").to_pylist()
    codes = _arm(cases, names)
    labels = context["span"].column("label")[0].as_py()
    return watch(
        options.guardrails[number],
        _column(cases, f"guardrail.{number}"),
        _column(cases, "entered").astype(np.int32),
        codes == names.index(arm),
        codes == names.index(options.control),
        len(labels),
        labels.__getitem__,
    )


def _cuped(cases: pa.Table, name: str) -> Any:
    names = pc.unique(cases.column("arm").cast(pa.string())).to_pylist()
    return cuped(_column(cases, f"total.{name}"), _column(cases, f"before.{name}"), _arm(cases, names))


def _column(cases: pa.Table, name: str) -> Float64:
    """float64[n], NaN where null."""
    values: Float64 = cases.column(name).cast(pa.float64()).fill_null(np.nan).to_numpy()
    return values


def score(
    metrics: Sequence[Metric],
    options: ABTestOptions,
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """Score the arm whose users the records name.

    All users of the log are units: those of further arms are left out of a score, for that reason.
    """
    n = len(cases)
    treated = np.zeros(n, bool)
    known = Vocabulary(cases.column("case"))
    for block in records:
        treated[known.encode(block.column("case"))] = True
    names = context["arms"].column("arm").to_pylist()
    codes = _arm(cases, names)
    arm = names[int(codes[np.flatnonzero(treated)[0]])]
    is_control = arm == options.control
    check = _ratio(cases, context)
    wanted = [one for one in metrics if not is_control or not _compares(one)]
    observed = len(context["span"].column("label")[0]) - _column(cases, "entered")
    outcomes = {
        name: _outcome(cases, name, options, observed)
        for name in dict.fromkeys(one.parameters.get("outcome") for one in wanted)
        if name is not None
    }
    arms = Arms(
        treated=treated,
        control=(codes == names.index(options.control)) & ~treated,
        outcomes=outcomes,
        both_phases=observed > options.first_days,
        mismatch=check.p,
        unsound=check.p < NO_MISMATCH,
        stopped={}
        if is_control
        else {
            guardrail.outcome: any(
                row["action"] == HARM for row in _looks(cases, context, options, arm, number)
            )
            for number, guardrail in enumerate(options.guardrails)
        },
    )
    everyone = np.ones(n, bool)
    answered = everyone
    if options.missing == "exclude" and outcomes:
        answered = ~np.logical_and.reduce([found.missing for found in outcomes.values()])
    return ScoredUnits(
        units=cases.column("unit").combine_chunks(),
        scores={one.id: one(arms) for one in wanted},
        groups={
            name.removeprefix("group."): cases.column(name).combine_chunks()
            for name in cases.column_names
            if name.startswith("group.")
        },
        attempted=everyone,
        answered=answered,
        remark=_remark(check, names, codes) if arms.unsound else None,
    )


def _compares(metric: Metric) -> bool:
    """Whether a metric says something of an arm beside the control, so that the control has none."""
    return metric.definition.contrast is not None or metric.definition.name == "stopped_for_harm"


def _outcome(cases: pa.Table, name: str, options: ABTestOptions, observed: Float64) -> Outcome:
    exposures = _column(cases, f"exposures.{name}")
    missing = exposures == 0 if options.missing == "exclude" else np.zeros(len(cases), bool)
    later_days = observed - options.first_days
    both = later_days > 0
    before = f"before.{name}" in cases.column_names
    return Outcome(
        total=_column(cases, f"total.{name}"),
        exposures=exposures,
        first=np.where(both, _column(cases, f"first.{name}") / options.first_days, 0.0),
        later=np.where(both, _column(cases, f"later.{name}") / np.where(both, later_days, 1.0), 0.0),
        missing=missing,
        before=_column(cases, f"before.{name}") if before else None,
        adjusted=_cuped(cases, name).adjusted if before else None,
    )


def _remark(check: RatioCheck, names: Sequence[str], codes: Int64) -> str:
    counts = np.bincount(codes, minlength=len(names))
    told = ", ".join(
        f"{name} {count:,} where {want:,.0f} were planned"
        for name, count, want in zip(names, counts.tolist(), check.expected, strict=True)
    )
    return f"sample-ratio mismatch (p = {check.p:.2g}): {told}; no effect can be trusted"
