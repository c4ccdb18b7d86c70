"""Self-enhancement: does the judge prefer its own answers more than people say they deserve?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from genrec_eval.judging.audit.labels import Joined
from genrec_eval.judging.audit.verdicts import Verdicts
from genrec_eval.stats.sums import Float64, Measure, of_sums, share_of, undefined

_NO_LABELS = (
    "there are no labels of people: without an independent reference a good judge that writes well"
    " cannot be told from one that favours itself"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfPreference:
    """Excess over people's labels, in the form of equal opportunity (Wataoka et al. 2024).

    Attributes
    ----------
    own
        Who counts as the judge itself: an author, or a family of models.
    when_own
        Share of verdicts for its own answer where people prefer that.
    when_other
        Share of verdicts for the other answer where people prefer that.
    bias
        ``when_own - when_other``: above 0 the judge favours itself.
    """

    own: str | None
    when_own: Measure
    when_other: Measure
    bias: Measure


def self_preference(
    verdicts: Verdicts,
    joined: Joined | None,
    authors: Mapping[str, str] | None,
    own: str | None,
    *,
    seed: int | None,
    level: float = 0.95,
) -> SelfPreference:
    """P(judge = self | people = self) - P(judge = other | people = other).

    Over pairs with exactly one answer of the judge's own, where people have a decided majority; a tie of the
    judge is a verdict for neither.

    Parameters
    ----------
    authors
        Model → who wrote for it: the same words as ``own``, so a family where that is to be measured.
    own
        The judge, in those words.
    """

    def without(reason: str) -> SelfPreference:
        none = undefined(reason, level=level)
        return SelfPreference(own=own, when_own=none, when_other=none, bias=none)

    if joined is None:
        return without(_NO_LABELS)
    if not authors or own is None:
        return without("it is not known who wrote the answers, or which of them the judge is")
    models, others = verdicts.words("model"), verdicts.words("other")
    mine = np.array([authors.get(model or "") == own for model in models], bool)
    theirs = np.array([authors.get(other or "") == own for other in others], bool)
    known = np.array([(m in authors) and (o in authors) for m, o in zip(models, others, strict=True)], bool)
    people = joined.majority
    used = known & (mine != theirs) & verdicts.judged & np.isfinite(people) & (people != 0.5)
    if not used.any():
        return without(
            f"no pair has exactly one answer of '{own}', a verdict and a decided majority of people"
        )
    for_own = np.where(mine, verdicts.value == 1, verdicts.value == 0)[used]
    for_other = np.where(mine, verdicts.value == 0, verdicts.value == 1)[used]
    people_own = np.where(mine, people == 1, people == 0)[used]
    units = verdicts.unit[used]
    columns = np.stack(
        [for_own & people_own, people_own, for_other & ~people_own, ~people_own], axis=1
    ).astype(np.float64)

    def at(sums: Float64) -> Float64:
        return sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]

    def share(hits: np.ndarray, given: np.ndarray) -> Measure:
        empty = "people never prefer that side"
        return share_of(hits[given], units=units[given], seed=seed, level=level, empty=empty)

    why = "people prefer one side throughout"
    return SelfPreference(
        own=own,
        when_own=share(for_own, people_own),
        when_other=share(for_other, ~people_own),
        bias=of_sums(columns, at, units=units, seed=seed, level=level, why=why),
    )
