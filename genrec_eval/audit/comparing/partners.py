"""Which scenarios and models of two runs belong together, and what only one of them has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genrec_eval.audit.sources.base import Source
from genrec_eval.core.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """One model of the candidate and the one of the reference that it is compared with."""

    scenario: str
    model: str
    reference_model: str

    @property
    def who(self) -> str:
        """``"knn"``, or ``"new against old"``."""
        return (
            self.model
            if self.model == self.reference_model
            else f"{self.model} against {self.reference_model}"
        )


def partners(
    candidate: Source,
    reference: Source,
    models: Mapping[str, str] | None = None,
    scenarios: Sequence[str] | None = None,
) -> list[Partners]:
    """Everything that both played, in the order of the candidate.

    Models of one name belong together unless ``models`` (candidate → reference) says otherwise; where no name
    is shared and either run has a single model, those two do.

    Raises
    ------
    UsageError
        When nothing belongs together, or a name is unknown.
    """
    own, other = set(candidate.pairings()), set(reference.pairings())
    shared = _shared(candidate, reference, scenarios)
    mine, theirs = _models(candidate), _models(reference)
    named = _checked(models or {}, (candidate, mine), (reference, theirs))
    found = _paired(candidate, shared, own, other, named)
    if not found and not named and len(mine) == len(theirs) == 1:
        found = _paired(candidate, shared, own, other, {mine[0]: theirs[0]})
    if not found:
        near = next((near for one in mine if (near := did_you_mean(one, theirs))), "")
        raise UsageError(
            f"{candidate.label} and {reference.label} share no model in {_listed(shared, 'scenario')}:"
            f" the candidate has {', '.join(mine)}, the reference {', '.join(theirs)}; name those that belong"
            f" together with --model NEW=OLD{near}"
        )
    return found


def missing_partners(candidate: Source, reference: Source, found: Sequence[Partners]) -> list[str]:
    """What only one run played, as sentences."""
    said = []
    for source, opposite, where, taken in (
        (reference, candidate, "reference", {(one.reference_model, one.scenario) for one in found}),
        (candidate, reference, "candidate", {(one.model, one.scenario) for one in found}),
    ):
        there = {scenario for _, scenario in opposite.pairings()}
        for scenario in dict.fromkeys(s for _, s in source.pairings()):
            if scenario not in there:
                said.append(
                    f"Scenario '{scenario}' was played in the {where} only{_why(opposite, None, scenario)}."
                )
                continue
            for model in dict.fromkeys(m for m, s in source.pairings() if s == scenario):
                if (model, scenario) not in taken:
                    why = _why(opposite, model, scenario)
                    said.append(f"Model '{model}' was played in '{scenario}' in the {where} only{why}.")
    return said


def _why(source: Source, model: str | None, scenario: str) -> str:
    rows = [row for row in source.coverage if row.scenario == scenario and model in (None, row.model)]
    reasons = list(dict.fromkeys(row.reason for row in rows if row.reason))
    return f" ({reasons[0]})" if len(reasons) == 1 else ""


def _paired(
    candidate: Source,
    shared: Iterable[str],
    own: set[tuple[str, str]],
    other: set[tuple[str, str]],
    named: Mapping[str, str],
) -> list[Partners]:
    kept = set(shared)
    return [
        Partners(scenario=scenario, model=model, reference_model=named.get(model, model))
        for model, scenario in candidate.pairings()
        if scenario in kept and (model, scenario) in own and (named.get(model, model), scenario) in other
    ]


def _models(source: Source) -> list[str]:
    return list(dict.fromkeys(model for model, _ in source.pairings()))


def _shared(candidate: Source, reference: Source, wanted: Sequence[str] | None) -> list[str]:
    mine = list(dict.fromkeys(scenario for _, scenario in candidate.pairings()))
    theirs = list(dict.fromkeys(scenario for _, scenario in reference.pairings()))
    for source, known, where in ((candidate, mine, "candidate"), (reference, theirs, "reference")):
        if not known:
            raise UsageError(
                f"{source.label}: nothing was played in the {where}, so there is nothing to compare"
            )
    shared = [name for name in mine if name in theirs]
    if not shared:
        near = next((near for one in mine if (near := did_you_mean(one, theirs))), "")
        raise UsageError(
            f"{candidate.label} and {reference.label} share no scenario: the candidate has {', '.join(mine)},"
            f" the reference {', '.join(theirs)}; scenarios are matched by their names in the suite{near}"
        )
    for name in wanted or ():
        if name not in shared:
            raise UsageError(
                f"both runs share no scenario '{name}'{did_you_mean(name, shared)}"
                f" (shared: {', '.join(shared)})"
            )
    return shared if wanted is None else [name for name in shared if name in wanted]


def _checked(
    models: Mapping[str, str], candidate: tuple[Source, list[str]], reference: tuple[Source, list[str]]
) -> Mapping[str, str]:
    for new, old in models.items():
        for name, (source, known), where in ((new, candidate, "candidate"), (old, reference, "reference")):
            if name not in known:
                raise UsageError(
                    f"the {where} {source.label} has no model '{name}'{did_you_mean(name, known)}"
                    f" (it has: {', '.join(known)}); a pair is written CANDIDATE=REFERENCE"
                )
    return models


def _listed(names: Sequence[str], what: str) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"{what} {quoted}" if len(names) == 1 else f"{what}s {quoted}"
