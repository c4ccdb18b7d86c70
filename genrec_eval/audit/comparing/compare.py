"""Two runs to one comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from genrec_eval.audit.comparing.audits import Ruled, audited, claims, same
from genrec_eval.audit.comparing.differences import differences
from genrec_eval.audit.comparing.flips import flips
from genrec_eval.audit.comparing.meaning import refused
from genrec_eval.audit.comparing.partners import Partners, missing_partners, partners
from genrec_eval.audit.comparing.settings import settings
from genrec_eval.audit.comparing.types import Change, Comparison, Difference, Pairs
from genrec_eval.audit.sources.base import Units
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.numbers import count
from genrec_eval.metrics.base import Metric

_NAMED = 5
"""Units that are named of each kind that has no pair."""
SHOWN_FLIPS = 50
"""Flips that are shown of each scenario, model and metric."""


def compare(
    candidate: RunSource,
    reference: RunSource,
    *,
    models: Mapping[str, str] | None = None,
    margins: Mapping[str, float] | None = None,
    scenarios: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    shown: int = SHOWN_FLIPS,
) -> Comparison:
    """Hold a run against an earlier one, unit by unit.

    Parameters
    ----------
    candidate, reference
        The run in question, and what it is held against.
    models
        Model of the candidate → model of the reference, where their names differ.
    margins
        Metric, by id or by name, → greatest difference that does not matter.
    scenarios, metrics
        What to compare; everything that both have when None. Fewer metrics mean fewer tests to adjust for.
    shown
        Most flips that are kept of each scenario, model and metric.

    Raises
    ------
    UsageError
        When the runs have nothing in common, or a name or margin makes no sense.
    """
    found = partners(candidate, reference, models, scenarios)
    names = list(dict.fromkeys(one.scenario for one in found))
    measured = {name: candidate.measured(name) for name in names}
    wanted = None if metrics is None else _named(metrics, measured, candidate, reference)
    matched = {name: Matched.of(candidate.units(name), reference.units(name)) for name in names}
    # users of two experiments: other people under other ids
    independent = {
        name
        for name, one in matched.items()
        if not candidate.scenario(name).paired and not len(one.candidate) and not len(one.changed)
    }
    if not independent and not any(len(one.candidate) for one in matched.values()):
        raise UsageError(_nothing_common(candidate, reference, names, matched))
    compared = differences(
        candidate,
        reference,
        found,
        matched,
        level=float((candidate.directory.run.get("suite") or {}).get("level", 0.95)),
        seed=min(candidate.facts.seed, reference.facts.seed),
        refused=lambda scenario, metric: refused(candidate, reference, scenario, metric),
        margins=_margins(margins or {}, measured, candidate, reference),
        wanted=wanted,
        independent=independent,
    )
    ruled = Ruled(candidate)
    compared = [
        replace(one, ruled=True) if ruled.about(one.scenario, one.metric, one.model, one.slice) else one
        for one in compared
    ]
    differing = settings(candidate, reference, found, matched)
    turned, counts, turned_units = flips(
        candidate,
        reference,
        [one for one in found if candidate.scenario(one.scenario).kind != "log"],
        matched,
        wanted=wanted,
        shown=shown,
    )
    return Comparison(
        reference=reference.label,
        candidate=candidate.label,
        reference_run=reference.facts.run,
        candidate_run=candidate.facts.run,
        settings=differing,
        pairs=[_pairs(name, matched[name], candidate.units(name), reference.units(name)) for name in names],
        differences=compared,
        missing=[
            *missing_partners(candidate, reference, found),
            *(_missing(candidate, reference, found, measured, compared) if metrics is None else ()),
        ],
        flips=turned,
        flip_counts=counts,
        flip_units=turned_units,
        reference_audit=audited(reference),
        candidate_audit=audited(candidate),
        claims=claims(candidate, reference, found),
        same=same(candidate, reference, matched, differing),
        remarks=_remarks(candidate, reference, compared, bool(counts)),
    )


def _pairs(scenario: str, matched: Matched, candidate: Units, reference: Units) -> Pairs:
    kinds = {
        "only_reference": (matched.only_reference, reference),
        "only_candidate": (matched.only_candidate, candidate),
        "changed": (matched.changed, candidate),
    }
    return Pairs(
        scenario=scenario,
        paired=len(matched.candidate),
        only_reference=len(matched.only_reference),
        only_candidate=len(matched.only_candidate),
        changed=len(matched.changed),
        named={
            kind: [str(units.names[int(row)].as_py()) for row in rows[:_NAMED]]
            for kind, (rows, units) in kinds.items()
            if len(rows) and units.names is not None
        },
    )


def _nothing_common(
    candidate: RunSource, reference: RunSource, names: Sequence[str], matched: Mapping[str, Matched]
) -> str:
    said = []
    for name in names:
        one, mine, theirs = matched[name], candidate.units(name), reference.units(name)
        if len(one.changed):
            said.append(f"in '{name}' all {count(len(one.changed))} shared units were asked something else")
            continue
        few = [", ".join(map(str, units.names[:3].to_pylist())) for units in (mine, theirs) if units.names]
        said.append(
            f"in '{name}' the candidate has {count(len(mine))} units ({few[0]}, ...) and the reference"
            f" {count(len(theirs))} others ({few[1]}, ...)"
        )
    return (
        f"{candidate.label} and {reference.label} have no unit in common that was asked the same: "
        f"{'; '.join(said)}; compare runs of the same data, split and seed"
    )


def _named(
    spelled: Sequence[str],
    measured: Mapping[str, Sequence[Metric]],
    candidate: RunSource,
    reference: RunSource,
) -> list[str]:
    """Ids of the metrics that are named by id, by name, or in another spelling."""
    return [metric for word in spelled for metric in _ids(word, measured, candidate, reference)]


def _ids(
    word: str, measured: Mapping[str, Sequence[Metric]], candidate: RunSource, reference: RunSource
) -> list[str]:
    from genrec_eval.metrics.registry import metric

    every = {one.id: one for metrics in measured.values() for one in metrics}
    word = word.strip()
    if word not in every:
        with suppress(UsageError):
            word = metric(word).id
    found = [name for name, one in every.items() if word in (name, one.definition.name)]
    if not found:
        raise UsageError(
            f"{candidate.label} and {reference.label} measure no '{word}'{did_you_mean(word, every)}"
            f" (measured: {', '.join(every)})"
        )
    return found


def _margins(
    margins: Mapping[str, float],
    measured: Mapping[str, Sequence[Metric]],
    candidate: RunSource,
    reference: RunSource,
) -> dict[str, float]:
    """Metric id → margin; one that is named by id wins over its family."""
    found: dict[str, float] = {}
    exact: dict[str, float] = {}
    for word, margin in margins.items():
        if not (isinstance(margin, int | float) and math.isfinite(margin) and margin > 0):
            raise UsageError(f"the margin of '{word}' is a finite number above 0, not {margin}")
        ids = _ids(word, measured, candidate, reference)
        (exact if word.strip() in ids else found).update(dict.fromkeys(ids, float(margin)))
    return found | exact


def _missing(
    candidate: RunSource,
    reference: RunSource,
    found: Sequence[Partners],
    measured: Mapping[str, Sequence[Metric]],
    compared: Sequence[Difference],
) -> list[str]:
    """Metrics and slices of one run only, as sentences."""
    said = []
    known = {(one.scenario, one.metric, one.model) for one in compared}
    for one in found:
        own = candidate.metrics(one.model, one.scenario)
        other = reference.metrics(one.reference_model, one.scenario)
        for names, opposite, where in ((other, own, "reference"), (own, other, "candidate")):
            if only := [name for name in names if name not in opposite]:
                listed = f"{', '.join(only)} of {one.who} in '{one.scenario}'"
                said.append(f"{listed} {'was' if len(only) == 1 else 'were'} measured in the {where} only.")
        for name in own:  # stored, but its definition is no more
            if name in other and (one.scenario, name, one.model) not in known:
                said.append(
                    f"{name} of {one.who} in '{one.scenario}' is not among the suite's metrics any more."
                )
    for scenario in dict.fromkeys(one.scenario for one in found):
        mine, theirs = (list(source.units(scenario).slices) for source in (candidate, reference))
        for names, opposite, where in ((theirs, mine, "reference"), (mine, theirs, "candidate")):
            if only := [name for name in names if name not in opposite]:
                said.append(f"Slice {', '.join(only)} of '{scenario}' is in the {where} only.")
    return said


def _remarks(
    candidate: RunSource, reference: RunSource, compared: Sequence[Difference], flipped: bool
) -> list[str]:
    """What is worth saying of the comparison as a whole."""
    valued = [one for one in compared if one.value is not None]
    if candidate.directory.path.resolve() == reference.directory.path.resolve():
        return ["Both are the same run directory, so nothing can differ."]
    if valued and not flipped and all(map(_same, valued)):
        return ["Every metric is the same for every unit that both runs have."]
    tests = [
        sum((one.slice == "all") is whole and one.p is not None and not _same(one) for one in valued)
        for whole in (True, False)
    ]
    if not tests[0]:
        return []
    kind = "of no difference, two-sided"
    said = f"{count(tests[0])} tests {kind}, are adjusted together (Holm)"
    if tests[0] == 1:
        said = f"There is one test {kind}"
    return [f"{said}{f'; {count(tests[1])} of slices among themselves' if tests[1] else ''}."]


def _same(one: Difference) -> bool:
    return one.change is Change.UNCHANGED
