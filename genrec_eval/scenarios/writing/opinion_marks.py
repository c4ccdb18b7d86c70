"""Summaries beside their reviews: which reviews hold an opinion, who is named, who is not heard."""

from __future__ import annotations

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import ClaimVerdict
from genrec_eval.metrics.explanations.found import readings_of
from genrec_eval.metrics.explanations.opinions import Opinion
from genrec_eval.metrics.explanations.private_names import leaked
from genrec_eval.metrics.explanations.reviewed import Held, Reviewed, opinions_of, reviewed_of
from genrec_eval.metrics.explanations.summaries import minority_recall
from genrec_eval.scenarios.evidence import Mark


def opinion_marks(explanations: Explanations, row: int) -> list[Mark]:
    """The opinions in a summary with the reviews that hold them, and names of private persons."""
    opinions, reviewed = opinions_of(explanations)[row], reviewed_of(explanations)[row]
    reading = readings_of(explanations)[row]
    if opinions is None or reading is None:
        return []
    found = [
        Mark(
            start=one.start,
            end=one.end,
            kind="opinion",
            verdict=str(_verdict(one, opinions.held, reviewed)),
            evidence=_counted((one.aspect, one.glad), reviewed),
        )
        for one in opinions.said
    ]
    names = leaked(explanations, row)
    said = "names a private person"
    return [*found, *(Mark(start=start, end=end, kind="name", evidence=said) for start, end in names)]


def unheard(explanations: Explanations, row: int) -> tuple[str, ...]:
    """What a minority of the reviews says and the summary does not."""
    opinions, reviewed = opinions_of(explanations)[row], reviewed_of(explanations)[row]
    if opinions is None:
        return ()
    share, voices = (minority_recall.definition.parameters[name][0] for name in ("share", "voices"))
    missing = [one for one in reviewed.minority(share, voices) if one not in opinions.held]
    return tuple(f"a minority is not heard: {_counted(one, reviewed)}" for one in missing)


def _verdict(one: Opinion, held: frozenset[Held], reviewed: Reviewed) -> ClaimVerdict:
    opinion = (one.aspect, one.glad)
    if opinion not in reviewed.counts:
        return ClaimVerdict.NOT_IN_SOURCE
    side = reviewed.majority(one.aspect)
    against = side is not None and side is not one.glad and (one.aspect, side) not in held
    return ClaimVerdict.CONTRADICTED if against and not one.few else ClaimVerdict.SUPPORTED


def _counted(opinion: Held, reviewed: Reviewed) -> str:
    aspect, _ = opinion
    praise, blame = (reviewed.counts.get((aspect, side), 0) for side in (True, False))
    return f"{aspect}: {praise} of {len(reviewed.held)} reviews praise it, {blame} criticise it"
