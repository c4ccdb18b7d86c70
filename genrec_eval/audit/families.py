"""Families of claims: what is confirmed together is held to one level together; the rest is a sweep.

A family is declared by the claims that name it, wherever in the suite they stand. Its size is the number of
claims that were declared: one that could not be run still counts, so that leaving claims out buys nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Estimate
from genrec_eval.stats.multiplicity import benjamini_hochberg, holm
from genrec_eval.suite.schema import Claim

Figure = tuple[str, str, str]
"""Scenario, id of the metric and model of a figure over the whole run."""


@dataclass(frozen=True, slots=True)
class Family:
    """Claims that are decided together.

    Attributes
    ----------
    size
        Claims that name it.
    figures
        What they are about, where that is a figure of one model over the whole run.
    """

    name: str
    size: int
    figures: frozenset[Figure] = frozenset()

    @property
    def words(self) -> str:
        """``"5 claims of family gender"``."""
        return f"{count(self.size)} claim{'' if self.size == 1 else 's'} of family {self.name}"


def sizes_of(claims: Iterable[Claim]) -> dict[str, int]:
    """How many claims each family has, in the order of the suite."""
    return dict(Counter(claim.family for claim in claims if claim.family is not None))


def families_of(claims: Sequence[Claim], ids: Mapping[tuple[str, str], str]) -> list[Family]:
    """The families of a suite.

    Parameters
    ----------
    ids
        Scenario and metric as a claim spells it → its id.
    """
    found: dict[str, set[Figure]] = {}
    for claim in claims:
        if claim.family is not None:
            figures = found.setdefault(claim.family, set())
            if claim.against is None and claim.slice == "all":
                metric = ids.get((claim.scenario, claim.metric), claim.metric)
                figures.add((claim.scenario, metric, claim.model))
    sizes = sizes_of(claims)
    return [Family(name, sizes[name], frozenset(figures)) for name, figures in found.items()]


def level_words(level: float) -> str:
    """A level in percent, with three digits of what is missing to all of it.

    >>> level_words(0.95), level_words(0.99), level_words(1 - 0.05 / 7), level_words(1 - 0.05 / 1000)
    ('95 %', '99 %', '99.286 %', '99.995 %')
    """
    return f"{100 - float(f'{100 * (1 - level):.3g}'):.10g} %"


def adjusted(rows: Sequence[Estimate], families: Sequence[Family]) -> list[Estimate]:
    """Adjusted p of each figure with a test of its own, and how it was adjusted.

    By Holm over the claims of a family where one of them is about the figure: claims without a p stand for a
    p of 1. All other tested figures of a scenario, whatever the model, are a sweep: Benjamini & Hochberg.
    Where two families have claims about a figure, the greater of both p.
    """
    at = {
        (row.scenario, row.metric, row.model): index
        for index, row in enumerate(rows)
        if row.baseline is None and row.slice == "all" and row.p is not None
    }
    found = list(rows)
    confirmed: set[int] = set()
    for family in families:
        members = [at[figure] for figure in sorted(family.figures) if figure in at]
        held = [rows[index].p or 0.0 for index in members]
        raised = holm([*held, *[1.0] * (family.size - len(held))]).tolist()
        for index, p in zip(members, raised, strict=False):
            if index not in confirmed or p > (found[index].p_adjusted or 0.0):
                words = f"Holm over {count(family.size)} of family {family.name}"
                found[index] = replace(found[index], p_adjusted=p, adjustment=words)
            confirmed.add(index)
    sweeps: dict[str, list[int]] = {}
    for (scenario, _, _), index in at.items():
        if index not in confirmed:
            sweeps.setdefault(scenario, []).append(index)
    for members in sweeps.values():
        words = f"Benjamini-Hochberg over {count(len(members))} of the scenario's sweep"
        for index, p in zip(
            members, benjamini_hochberg([rows[i].p or 0.0 for i in members]).tolist(), strict=True
        ):
            found[index] = replace(rows[index], p_adjusted=p, adjustment=words)
    return found
