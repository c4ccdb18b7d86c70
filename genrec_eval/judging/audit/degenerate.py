"""The guard against degenerate outputs: one text for all prompts can win against a strong baseline.

AlpacaEval's NullModel answers 805 prompts with one string and reaches 86.5 % length-controlled. Whether
answers depend on their prompts is known before any judge is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.stats.sums import Measure, mean_of, undefined

_NUMBER = re.compile(r"\b\d+(?:[.,]\d+)*\b")
_SIGNS = re.compile(r"[^\w#]+")
_WORD = re.compile(r"\w+")
_SHIFTS = 8
_LONGEST = 20_000
"""Characters of a text that are read: a template shows long before."""
_FEWEST = 5
_SOME = 0.05
"""Share of the words of foreign prompts from which on taking them up says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Degenerate:
    """What the texts of one model have in common.

    Attributes
    ----------
    n
        Texts; missing and blank ones are not counted.
    unique
        Share of different texts.
    most_common
        Share of the most frequent text once case, digits, spacing and punctuation are taken out.
    opening
        Share of texts that begin with the most frequent three words: high for templates that are sound, so
        that it is told, and trips nothing.
    dependence
        Share of a prompt's words that its answer takes up, minus the same for the prompts of others: 0 for
        answers that do not depend on their prompts.
    tripped
        Whether the texts must not be judged.
    sentence
        Why they must not, or that nothing was found.
    """

    n: int
    unique: float | None
    most_common: float | None
    opening: float | None
    dependence: Measure
    tripped: bool
    sentence: str


def degenerate(
    texts: Sequence[str | None],
    prompts: Sequence[str | None] | None = None,
    *,
    most: float = 0.5,
    seed: int,
    level: float = 0.95,
) -> Degenerate:
    """Look through the answers of one model.

    Trips when at least ``most`` of the texts are one and the same after normalising, or when answers take up
    words of other prompts and hardly more of their own: at the upper end of the interval less than half as
    much again. Answers that take up no words of prompts, as lists of other titles, are not judged by that.

    Parameters
    ----------
    texts, prompts
        One per case; prompts are needed for the dependence only.

    >>> degenerate(["Best film of 1994!", "best film of 2001"] * 10, seed=1).sentence
    '20 of 20 texts are one and the same but for case, digits and punctuation'
    """
    asked = prompts if prompts is not None else [None] * len(texts)
    kept = [
        (text[:_LONGEST], prompt) for text, prompt in zip(texts, asked, strict=True) if text and text.strip()
    ]
    n = len(kept)
    if n == 0:
        none = undefined("there is no text", level=level)
        return Degenerate(
            n=0,
            unique=None,
            most_common=None,
            opening=None,
            dependence=none,
            tripped=False,
            sentence="there is no text",
        )
    shapes = Counter(normalised(text) for text, _ in kept)
    openings = Counter(" ".join(_WORD.findall(text.lower()[:300])[:3]) for text, _ in kept)
    dependence, others = _dependence(kept, seed, level)
    often = shapes.most_common(1)[0][1]
    same = n >= _FEWEST and often >= most * n
    blind = dependence.high is not None and others >= _SOME and dependence.high <= others / 2
    if same:
        sentence = f"{often} of {n} texts are one and the same but for case, digits and punctuation"
    elif blind:
        sentence = f"the {n} texts take up words of any prompt as readily as those of their own"
    else:
        sentence = f"{len(shapes)} of {n} texts differ in more than case, digits and punctuation"
    return Degenerate(
        n=n,
        unique=len({text for text, _ in kept}) / n,
        most_common=often / n,
        opening=openings.most_common(1)[0][1] / n,
        dependence=dependence,
        tripped=same or blind,
        sentence=sentence,
    )


def normalised(text: str) -> str:
    """A text without what a template may change: case, numbers, spacing, punctuation.

    A text of numbers for the greater part, such as a list of ids, keeps them: they are what it says.

    >>> normalised("Film 7: you'll give it 4.5 stars!"), normalised("12, 7")
    ('film # you ll give it # stars', '12 7')
    """
    folded = text.casefold()
    bare, numbers = _NUMBER.subn("#", folded)
    if 2 * numbers > len(_WORD.findall(bare)) + numbers:
        bare = folded
    return _SIGNS.sub(" ", bare).strip() or text.strip()


def _dependence(kept: list[tuple[str, str | None]], seed: int, level: float) -> tuple[Measure, float]:
    """The measure, and the share of words of foreign prompts."""
    if any(prompt is None for _, prompt in kept):
        return undefined("the prompts are not known", level=level), 0.0
    answers = [frozenset(_WORD.findall(text.casefold())) for text, _ in kept]
    # words that most prompts share say nothing about any of them
    asked = [set(_WORD.findall((prompt or "")[:_LONGEST].casefold())) for _, prompt in kept]
    often = Counter(word for words in asked for word in words)
    n = len(kept)
    prompts = [frozenset(word for word in words if often[word] <= n / 2) for words in asked]
    if len(set(prompts)) < 2:
        return undefined("all prompts are alike", n=n, units=n, level=level), 0.0
    places = sorted(range(n), key=generator(seed, "other prompts", n).permutation(n).__getitem__)
    own, others = np.zeros(n), np.zeros(n)
    shifts = range(1, min(_SHIFTS, n - 1) + 1)
    for at, place in enumerate(places):
        own[place] = _taken_up(prompts[place], answers[place])
        if shifts:
            found = [_taken_up(prompts[places[(at + shift) % n]], answers[place]) for shift in shifts]
            others[place] = np.mean(found)
    if not (own.any() or others.any()):
        return undefined("no answer takes up a word of any prompt", n=n, units=n, level=level), 0.0
    gain = mean_of(own - others, seed=seed, level=level, bounds=(-1.0, 1.0))
    return gain, float(others.mean())


def _taken_up(prompt: frozenset[str], answer: frozenset[str]) -> float:
    return len(prompt & answer) / len(prompt) if prompt else 0.0
