"""Measures of texts written from retrieved passages, after RAGAS, by look-up and with every case defined."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import ClaimVerdict, Finding
from genrec_eval.metrics.explanations.found import NO_CLAIMS, findings_of, reader_of, readings_of
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.reviewed import (
    Held,
    aspects_of,
    excluded,
    opinions_in,
    opinions_of,
    read_passage,
    reviewed_of,
)
from genrec_eval.metrics.explanations.tokens import Phrases, words
from genrec_eval.metrics.text.tokens import sentences
from genrec_eval.protocol.brief import Brief

NO_CONTEXTS = "no-contexts"
"""Reason: the model returned no passages that it wrote from."""
NO_FACTS = "no-facts"
"""Reason: there is no reference, or nothing in it can be looked up."""

_LOOKED_UP = frozenset({"title", "person", "genre", "year", "price", "runtime", "rating", "number"})
_SHARE = 0.2
"""Opinions of fewer of the reviews on an aspect are no part of what a summary must rest on."""
_BEARS = (
    "A passage bears on the question when it names the item, one of its genres or makers, for an explanation"
    " an item of the history or an aspect that the user praised or criticised (any, where the brief tells of"
    " none), for a summary an aspect that the reviews judge, or when it is part of the description; not"
    " when it names another item of the catalogue and nothing of the item."
)
_CLAIMS = (
    "Claims are what `supported` looks up, but for title and year of the item, which the question gives, and"
    " opinions on aspects. A passage supports a claim when it holds the same title, person, genre or number,"
    " or praises or criticises the same aspect."
)
_TRAPS = (
    "By look-up of names, numbers and opinions, not by meaning: a passage that says the same in words of"
    " which the lists know nothing does not count. Passages are those that the model returned, in its order:"
    " nothing shows whether it wrote from them, or found them after."
)
_SHARED: dict[str, Any] = {
    "unit": "share",
    "needs_cutoff": False,
    "on": "explanations",
    "traps": _TRAPS,
}
_MISSING = (
    "Without a text excluded and counted (no-text); where the model returned no passage too (no-contexts)."
)
_SOURCE = "RAGAS (Es et al. 2024, arXiv 2309.15217); there {0}."


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage, read.

    Attributes
    ----------
    held
        Opinions on the aspects of the brief.
    relevant
        Whether it bears on the question.
    """

    reading: Reading
    held: frozenset[Held]
    relevant: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a text states.

    Attributes
    ----------
    right
        Whether brief and catalogue bear it out.
    """

    kind: str
    text: str
    right: bool
    number: float | None = None
    items: tuple[str, ...] = ()
    value: str = ""
    opinion: Held | None = None


@define(
    Definition(
        name="context_relevance",
        title="Context relevance",
        summary="Share of the retrieved passages that bear on the question.",
        formula=f"passages (of=sentences: sentences of them) that bear on the question / all. {_BEARS}",
        degenerate=_MISSING,
        source=_SOURCE.format("a language model picks the sentences that are needed"),
        direction="higher",
        parameters={"of": ("passages", ("passages", "sentences"))},
        meanings={"of": "what is counted: whole passages, or the sentences in them"},
        **_SHARED,
    )
)
def context_relevance(explanations: Explanations, *, of: str) -> UnitScores:
    """How much of what was retrieved is to the point."""
    values = np.zeros(len(explanations))
    for row, brief in enumerate(explanations.briefs):
        texts = list(_contexts(explanations, row))
        if of == "sentences":
            texts = [one for text in texts for one in sentences(text)] or texts
        hits = [_relevant(explanations, brief, read_passage(explanations, text), text) for text in texts]
        values[row] = sum(hits) / len(hits) if hits else 0.0
    return excluded(explanations, values, {NO_CONTEXTS: _without(explanations)})


@define(
    Definition(
        name="context_precision",
        title="Context precision",
        summary="Whether the passages that bear on the question come first.",
        formula=(
            "sum over ranks k of precision@k · v_k / sum of v_k, v_k = 1 where passage k bears on the"
            f" question, else 0. {_BEARS}"
        ),
        degenerate=f"{_MISSING} Where no passage bears on the question: 0.",
        source=_SOURCE.format("a language model gives v_k, and 1e-10 is added below the line"),
        direction="higher",
        **_SHARED,
    )
)
def context_precision(explanations: Explanations) -> UnitScores:
    """Mean precision at the ranks of relevant passages.

    >>> from genrec_eval.protocol.brief import Brief, ItemFacts
    >>> brief = Brief(task="explain", item=ItemFacts(id="i1", title="Heat", year=1995))
    >>> passages = ("Nothing.", "On Heat (1995).")
    >>> told = Explanations(texts=["Heat (1995)."], briefs=[brief], contexts=[passages])
    >>> from genrec_eval.metrics.registry import metric
    >>> metric("context_precision")(told).values
    array([0.5])
    """
    values = np.zeros(len(explanations))
    for row in range(len(explanations)):
        hits = np.array([passage.relevant for passage in _passages(explanations)[row]], np.float64)
        if hits.any():
            ranks = np.arange(1, len(hits) + 1)
            values[row] = float((np.cumsum(hits) / ranks * hits).sum() / hits.sum())
    return excluded(explanations, values, {NO_CONTEXTS: _without(explanations)})


@define(
    Definition(
        name="context_recall",
        title="Context recall",
        summary="Share of the facts of the reference that the retrieved passages hold.",
        formula=(
            "facts held by a passage / facts. Facts of a reference text are its opinions on aspects and the"
            " titles, people, genres and numbers in it; for a summary without one, the opinions that at least"
            " a fifth of the reviews on the aspect hold."
        ),
        degenerate=(
            f"{_MISSING} Without a reference, or where nothing in it can be looked up, excluded too"
            " (no-facts)."
        ),
        source=_SOURCE.format("a language model splits the reference into claims and attributes them"),
        direction="higher",
        **_SHARED,
    )
)
def context_recall(explanations: Explanations) -> UnitScores:
    """How much of what was needed was retrieved."""
    values, without = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    for row in range(len(explanations)):
        facts, passages = _facts(explanations, row), _passages(explanations)[row]
        without[row] = not facts
        if facts:
            values[row] = sum(any(_holds(p, fact) for p in passages) for fact in facts) / len(facts)
    return excluded(explanations, values, {NO_CONTEXTS: _without(explanations), NO_FACTS: without})


@define(
    Definition(
        name="answer_faithfulness",
        title="Answer faithfulness",
        summary="Share of the claims of a text that the passages it was written from support.",
        formula=f"claims that a passage supports / claims. {_CLAIMS}",
        degenerate=f"{_MISSING} A text without any claim is excluded too (no-claims): neither 1 nor NaN.",
        source=_SOURCE.format("statements are judged, and none gives NaN"),
        direction="higher",
        **_SHARED,
    )
)
def answer_faithfulness(explanations: Explanations) -> UnitScores:
    """Whether a text keeps to its passages."""
    return _share(explanations, lambda claim, passages: any(_holds(p, claim) for p in passages))


@define(
    Definition(
        name="noise_sensitivity",
        title="Noise sensitivity",
        summary="Share of the claims of a text that are wrong and that a retrieved passage led to.",
        formula=(
            "claims that brief and catalogue do not bear out and that a passage supports, which bears on the"
            f" question (of=irrelevant: which does not) / claims. {_CLAIMS} {_BEARS}"
        ),
        degenerate=f"{_MISSING} A text without any claim is excluded too (no-claims).",
        source=_SOURCE.format("a claim is wrong when the reference does not bear it out"),
        direction="lower",
        parameters={"of": ("relevant", ("relevant", "irrelevant"))},
        meanings={"of": "which passages: those that bear on the question, or those that do not"},
        **_SHARED,
    )
)
def noise_sensitivity(explanations: Explanations, *, of: str) -> UnitScores:
    """How far wrong passages make wrong texts."""
    wanted = of == "relevant"
    return _share(
        explanations,
        lambda claim, passages: (
            not claim.right and any(p.relevant == wanted and _holds(p, claim) for p in passages)
        ),
    )


@define(
    Definition(
        name="answer_relevance",
        title="Answer relevance",
        summary="Whether a text speaks of the item and of what the user, or the reviews, judge it by.",
        formula=(
            "mean of two marks: the text names the item, one of its makers or genres; and it names, in an"
            " explanation, an aspect that the user praised or criticised (any, where the brief tells of none)"
            " or an item of the history, in a summary an aspect that the reviews judge. A text that gives no"
            " answer ('I do not know', 'hard to say') and claims nothing has 0."
        ),
        degenerate="Without a text excluded and counted (no-text). An empty text has 0. Needs no passages.",
        source=_SOURCE.format("questions are made up from the answer and compared by embedding"),
        direction="higher",
        **{**_SHARED, "traps": "Says nothing on whether what the text says is true, or an answer at all."},
    )
)
def answer_relevance(explanations: Explanations) -> UnitScores:
    """Whether a text is to the point."""
    values = np.zeros(len(explanations))
    rows = zip(readings_of(explanations), opinions_of(explanations), explanations.briefs, strict=True)
    for row, (reading, opinions, brief) in enumerate(rows):
        if reading is None or opinions is None:
            continue
        if _noncommittal(reading) and not _claims(explanations)[row]:
            continue
        marks = _bearings(explanations, brief, reading)
        values[row] = (marks[0] + marks[1]) / 2
    return excluded(explanations, values, {})


def _share(explanations: Explanations, test: Any) -> UnitScores:
    values, silent = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    for row, (claims, passages) in enumerate(
        zip(_claims(explanations), _passages(explanations), strict=True)
    ):
        silent[row] = not claims
        values[row] = sum(map(bool, (test(c, passages) for c in claims))) / len(claims) if claims else 0.0
    return excluded(explanations, values, {NO_CONTEXTS: _without(explanations), NO_CLAIMS: silent})


def _contexts(explanations: Explanations, row: int) -> tuple[str, ...]:
    given = explanations.contexts[row] if len(explanations.contexts) else None
    return tuple(text for text in given or () if text.strip())


def _without(explanations: Explanations) -> Any:
    return np.array([not _contexts(explanations, row) for row in range(len(explanations))], bool)


def _passages(explanations: Explanations) -> list[list[Passage]]:
    def read(text: str, brief: Brief) -> Passage:
        reading = read_passage(explanations, text)
        return Passage(
            reading=reading,
            held=opinions_in(explanations, brief, reading).held,
            relevant=_relevant(explanations, brief, reading, text),
        )

    return explanations.kept(
        "contexts",
        lambda: [
            [read(text, brief) for text in _contexts(explanations, row)]
            for row, brief in enumerate(explanations.briefs)
        ],
    )


def _relevant(explanations: Explanations, brief: Brief, reading: Reading, text: str) -> bool:
    about, topic = _bearings(explanations, brief, reading)
    described = bool(text.strip()) and text.strip() in (brief.item.description or "")
    if described or about:
        return True
    mine = {brief.item.id, *(seen.item.id for seen in brief.history)}
    foreign = any(m.kind == "title" and m.items and not mine & set(m.items) for m in reading.mentions)
    return topic and not foreign


def _bearings(explanations: Explanations, brief: Brief, reading: Reading) -> tuple[bool, bool]:
    """Whether a text speaks of the item, and of what the question is about beside it."""
    item, genres = brief.item, reader_of(explanations).genres
    own = {genres.get(words(genre), genre) for genre in item.genres}
    makers = {words(name) for names in item.people.values() for name in names}
    history = {seen.item.id for seen in brief.history}
    about = topic = False
    for mention in reading.mentions:
        if mention.kind == "title":
            about |= item.id in mention.items
            topic |= brief.task == "explain" and bool(history & set(mention.items))
        elif mention.kind == "person":
            about |= words(mention.text) in makers
        elif mention.kind == "genre":
            about |= mention.value in own
    named = opinions_in(explanations, brief, reading).named
    return about, topic or bool(named & _wanted(brief))


def _wanted(brief: Brief) -> frozenset[str]:
    every = frozenset(aspects_of(brief))
    if brief.task == "summarise":
        return every
    cared = {aspect for seen in brief.history for aspect in (*seen.liked, *seen.disliked)}
    return frozenset(cared) or every


def _claims(explanations: Explanations) -> list[list[Claim]]:
    def make() -> list[list[Claim]]:
        rows = zip(
            readings_of(explanations),
            findings_of(explanations),
            opinions_of(explanations),
            reviewed_of(explanations),
            explanations.briefs,
            strict=True,
        )
        found: list[list[Claim]] = []
        for reading, findings, opinions, reviewed, brief in rows:
            if reading is None or opinions is None:
                found.append([])
                continue
            claims = _looked_up(reading, findings, brief)
            claims += [
                Claim(kind="opinion", text=held[0], right=held in reviewed.counts, opinion=held)
                for held in sorted(opinions.held)
            ]
            found.append(claims)
        return found

    return explanations.kept("answer claims", make)


def _looked_up(reading: Reading, findings: list[Finding], brief: Brief) -> list[Claim]:
    """What is claimed beside the title of the item and its year, each once."""
    by_place = {(m.start, m.end): m for m in reading.mentions}
    target = {m.start for m in reading.mentions if m.kind == "title" and brief.item.id in m.items}
    target |= {
        m.year_at[0]
        for m in reading.mentions
        if m.kind == "title" and brief.item.id in m.items and m.year_at is not None
    }
    found: dict[tuple[str, str], Claim] = {}
    for finding in findings:
        right = finding.verdict is ClaimVerdict.SUPPORTED
        if right and finding.start in target:
            continue
        mention = by_place.get((finding.start, finding.end))
        said = reading.text[finding.start : finding.end]
        claim = Claim(
            kind=finding.kind,
            text=said,
            right=right,
            number=None if mention is None else mention.number,
            items=() if mention is None else mention.items,
            value="" if mention is None else mention.value,
        )
        known = found.setdefault((finding.kind, said.casefold()), claim)
        if known.right and not right:
            found[finding.kind, said.casefold()] = claim
    return list(found.values())


def _facts(explanations: Explanations, row: int) -> list[Claim]:
    """What the reference holds; of reviews, what is not held by single ones alone."""
    brief = explanations.briefs[row]
    references = explanations.references[row] if len(explanations.references) else ()
    if not references:
        if brief.task != "summarise":
            return []
        reviewed = reviewed_of(explanations)[row]
        return [
            Claim(kind="opinion", text=held[0], right=True, opinion=held)
            for held in reviewed.counts
            if reviewed.share(held) >= _SHARE
        ]
    found: dict[tuple[str, str, bool], Claim] = {}
    for text in references:
        reading = read_passage(explanations, text)
        for mention in reading.mentions:
            if mention.kind in _LOOKED_UP:
                found[mention.kind, mention.text.casefold(), True] = _as_claim(mention)
        for held in sorted(opinions_in(explanations, brief, reading).held):
            found["opinion", *held] = Claim(kind="opinion", text=held[0], right=True, opinion=held)
    return list(found.values())


def _as_claim(mention: Mention) -> Claim:
    return Claim(
        kind=mention.kind,
        text=mention.text,
        right=True,
        number=mention.number,
        items=mention.items,
        value=mention.value,
    )


def _holds(passage: Passage, claim: Claim) -> bool:
    """Whether a passage says what a claim says."""
    if claim.opinion is not None:
        return claim.opinion in passage.held
    for mention in passage.reading.mentions:
        if claim.items and set(claim.items) & set(mention.items):
            return True
        if claim.kind == mention.kind and claim.value and claim.value == mention.value:
            return True
        if claim.number is not None and mention.number == claim.number:
            return claim.kind == mention.kind or "number" in (claim.kind, mention.kind)
    return _within(words(claim.text), passage.reading.tokens.norms)


def _within(phrase: tuple[str, ...], norms: list[str]) -> bool:
    size = len(phrase)
    return bool(phrase) and any(
        tuple(norms[at : at + size]) == phrase
        for at in range(len(norms) - size + 1)
        if norms[at] == phrase[0]
    )


@cache
def _noncommittal_phrases() -> Phrases:
    return Phrases((words(phrase), True) for phrase in lexicon("answers")["noncommittal"])


def _noncommittal(reading: Reading) -> bool:
    return next(_noncommittal_phrases().scan(reading.tokens.norms), None) is not None
