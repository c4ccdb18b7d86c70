"""Faithfulness without a judge: shares of claims that the sources support, contradict or do not hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, Family, UnitScores, define
from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import ClaimVerdict
from genrec_eval.metrics.explanations.found import (
    NO_CLAIMS,
    findings_of,
    indicated,
    readings_of,
    shares,
    source_of,
    unstained,
)
from genrec_eval.metrics.text.texts import NO_TEXT
from genrec_eval.protocol.results import Direction

_KINDS = (
    "Claims are what can be looked up: titles, people, years, genres, prices, minutes, ratings, other"
    " numbers, and what is said of the user's past."
)
_TRAPS = (
    "The finder reads English statements and titles in any script; a claim in words that it has no pattern"
    " for (an opinion, a plot, a paraphrased title) is no claim to it. Titles of one common word count only"
    " where they are written as titles. The history is what the brief shows: a true statement on an older"
    " item counts as fabricated. Read it beside `claims`: who claims nothing is never wrong."
)
_SHARED: dict[str, Any] = {
    "resampling_unit": "user",
    "needs_cutoff": False,
    "on": "explanations",
    "source": "This project; three verdicts as in statement-level evaluation (Kabongo and Guigue 2025).",
}


def _share(
    verdict: ClaimVerdict, *, name: str, title: str, of_which: str, counted: str, better: Direction
) -> Family:
    """The share of claims on which looking up gives one verdict.

    Parameters
    ----------
    of_which
        Ends the sentence "Share of the claims of a text".
    counted
        What is counted, for the formula.
    """

    def score(explanations: Explanations, *, of: str) -> UnitScores:
        """Share of the claims of each text, or whether it has such a claim."""
        findings = findings_of(explanations)
        hits = np.array([sum(f.verdict is verdict for f in found) for found in findings], np.float64)
        if of == "texts":
            counted = unstained if better == "lower" else indicated
            return counted(explanations, hits > 0)
        counts = np.array([len(found) for found in findings], np.float64)
        return shares(explanations, hits, counts, NO_CLAIMS, micro=True)

    return define(
        Definition(
            name=name,
            title=title,
            summary=f"Share of the claims of a text {of_which}.",
            formula=f"{counted} / claims. {_KINDS}",
            direction=better,
            unit="share",
            parameters={"of": ("claims", ("claims", "texts"))},
            meanings={
                "of": "claims: share of all claims, a text weighing by its claims; texts: share of texts with"
                " at least one"
            },
            degenerate=(
                "Without a text excluded and counted (no-text). With of=claims a text without any claim is"
                " excluded too (no-claims); with of=texts it counts as a text without such a claim"
                + (", and one without a word is excluded (no-token)." if better == "lower" else ".")
            ),
            traps=_TRAPS,
            **_SHARED,
        )
    )(score)


supported = _share(
    ClaimVerdict.SUPPORTED,
    name="supported",
    title="Supported",
    of_which="that brief or catalogue bear out",
    counted="supported claims",
    better="higher",
)
contradicted = _share(
    ClaimVerdict.CONTRADICTED,
    name="contradicted",
    title="Contradicted",
    of_which="of which brief or catalogue say otherwise",
    counted="contradicted claims",
    better="lower",
)
not_in_source = _share(
    ClaimVerdict.NOT_IN_SOURCE,
    name="not_in_source",
    title="Not in source",
    of_which="on which brief and catalogue are silent",
    counted="claims without a source",
    better="lower",
)
fabricated_history = _share(
    ClaimVerdict.FABRICATED_HISTORY,
    name="fabricated_history",
    title="Fabricated history",
    of_which="that tell the user of a past that the history does not hold",
    counted="claims on the user's past that are not in the brief's history",
    better="lower",
)


@define(
    Definition(
        name="claims",
        title="Claims",
        summary="Number of claims in a text that can be looked up.",
        formula=f"claims. {_KINDS}",
        direction="none",
        bounds=(0.0, None),
        degenerate="Without a text excluded and counted (no-text); an empty text has none.",
        traps=_TRAPS,
        **_SHARED,
    )
)
def claims(explanations: Explanations) -> UnitScores:
    """How much a text commits itself to."""
    missing = explanations.missing
    counts = np.array([len(found) for found in findings_of(explanations)], np.float64)
    return UnitScores(values=counts, reasons={NO_TEXT: missing} if missing.any() else {})


@define(
    Definition(
        name="fact_recall",
        title="Fact recall",
        summary="Share of the catalogue's facts on the item that the text states.",
        formula="facts stated / facts: the title, the year, each genre, each person, the price, the minutes",
        direction="none",
        unit="share",
        degenerate="Without a text excluded and counted (no-text).",
        traps=(
            "No text should state everything: a low value is no fault. Compare it between models that were"
            " given the same facts, beside `supported`."
        ),
        **_SHARED,
    )
)
def fact_recall(explanations: Explanations) -> UnitScores:
    """Statement recall by look-up."""
    stated, known = np.zeros(len(explanations)), np.zeros(len(explanations))
    for row, (reading, brief) in enumerate(zip(readings_of(explanations), explanations.briefs, strict=True)):
        item = brief.item
        facts = [item.year, item.price, item.runtime]
        people = {name for names in item.people.values() for name in names}
        known[row] = 1 + len(set(item.genres)) + len(people) + sum(fact is not None for fact in facts)
        if reading is not None:
            source = source_of(explanations, brief, only=True)
            said = {
                (f.kind, reading.text[f.start : f.end].casefold() if f.kind in ("genre", "person") else "")
                for f in check(reading, source)
                if f.verdict is ClaimVerdict.SUPPORTED and f.subject == item.id
                if f.kind in ("title", "year", "genre", "person", "price", "runtime")
            }
            stated[row] = min(len(said), known[row])
    return shares(explanations, stated, known, NO_CLAIMS)
