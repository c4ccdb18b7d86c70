"""Readability formulas for English, with the rule that counts syllables stated."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.script import scripts
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.metrics.text.tokens import sentences, tokenized

NOT_LATIN = "not-latin-script"
COMPLEX = 3
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouyl]e|[aeiouy]le|[^aeiouytd]ed|[^aeiouylscxzgh]es|[aeiouy]les)$")


@functools.lru_cache(maxsize=1 << 16)
def syllables(word: str) -> int:
    """Groups of vowels, without a silent ending, and at least one.

    Silent are a final e after a consonant, -ed but after t and d, and -es but after s, c, x, z, g and h; the
    e of -le and -les after a consonant is sounded.

    >>> [syllables(word) for word in ("make", "table", "while", "liked", "wanted", "places", "tasty", "7")]
    [1, 2, 1, 1, 2, 2, 2, 1]
    """
    return max(len(_VOWELS.findall(word)) - bool(_SILENT.search(word)), 1)


class Counts(NamedTuple):
    """What the formulas are made of."""

    words: int
    sentences: int
    syllables: int
    complex: int
    letters: int


FORMULAS = {
    "flesch": lambda c: 206.835 - 1.015 * c.words / c.sentences - 84.6 * c.syllables / c.words,
    "flesch_kincaid": lambda c: 0.39 * c.words / c.sentences + 11.8 * c.syllables / c.words - 15.59,
    "gunning_fog": lambda c: 0.4 * (c.words / c.sentences + 100 * c.complex / c.words),
    "ari": lambda c: 4.71 * c.letters / c.words + 0.5 * c.words / c.sentences - 21.43,
    "coleman_liau": lambda c: 5.88 * c.letters / c.words - 29.6 * c.sentences / c.words - 15.8,
}


def _counted(texts: Texts) -> list[Counts | str]:
    """Counts of each text, or why it has none."""
    found: list[Counts | str] = []
    for text, words in zip(texts.texts, tokenized(texts, "unicode"), strict=True):
        if text is None or not words:
            found.append(NO_TEXT if text is None else NO_TOKEN)
            continue
        letters = scripts(text)
        if 2 * letters["LATIN"] < letters.total():
            found.append(NOT_LATIN)
            continue
        sounds = [syllables(word) for word in words]
        found.append(
            Counts(
                words=len(words),
                sentences=max(len(sentences(text)), 1),
                syllables=sum(sounds),
                complex=sum(count >= COMPLEX for count in sounds),
                letters=sum(map(len, words)),
            )
        )
    return found


@define(
    Definition(
        name="readability",
        title="Readability",
        summary="A readability formula for English, from words per sentence and syllables or letters per"
        " word.",
        formula=(
            "flesch: 206.835 − 1.015 words/sentences − 84.6 syllables/words (higher is easier); school"
            " grades: flesch_kincaid: 0.39 words/sentences + 11.8 syllables/words − 15.59; gunning_fog: 0.4"
            " (words/sentences + 100 · share of words of 3 syllables or more); ari: 4.71 letters/words +"
            " 0.5 words/sentences − 21.43; coleman_liau: 5.88 letters/words − 29.6 sentences/words − 15.8;"
            " mean over texts"
        ),
        degenerate="No text: left out (no-text). No word: left out (no-token). Most letters of another"
        " script than Latin: left out (not-latin-script).",
        source="Flesch 1948; Kincaid et al. 1975; Gunning 1952; Smith & Senter 1967; Coleman & Liau 1975."
        " Syllables by rule: groups of vowels less a silent -e, -ed or -es; packages with a dictionary"
        " differ by a few points.",
        direction="none",
        bounds=(None, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"formula": ("flesch", tuple(FORMULAS))},
        meanings={"formula": "flesch: reading ease, about 0 to 100; the others: US school grade"},
        traps="Made for English prose of some length: figures of other languages in Latin script, and of"
        " single sentences, say little.",
    )
)
def readability(texts: Texts, *, formula: str) -> UnitScores:
    """Readability of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["The cat sat on the mat."])
    >>> metric("readability")(texts).values.round(3).tolist()
    [116.145]
    """
    counted = texts.kept("readability", lambda: _counted(texts))
    values = np.array([0.0 if isinstance(one, str) else FORMULAS[formula](one) for one in counted], float)
    why = {
        reason: np.array([one == reason for one in counted], bool)
        for reason in (NO_TEXT, NO_TOKEN, NOT_LATIN)
    }
    return UnitScores(values=values, reasons=reasons(why))
