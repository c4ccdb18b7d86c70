"""Texts for the tests of metrics of text, and their hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.texts import Texts

PAIRS = [
    ("The user would enjoy the ramen, which is savory and spicy.", "You would enjoy the savory ramen."),
    ("Great noodles!\nFriendly staff.", "Friendly staff and great noodles.\nThe place is clean."),
    ("The the the the the.", "The cat is on the mat."),
    ("It's a 5-star hotel; rooms from $99.50.", "A 5-star hotel with rooms from $99."),
    ("Nothing in common here", "Zebras graze quietly"),
    ("short", "short"),
]

WORDS = ("the", "user", "Users", "likes", "liked", "ramen", "spicy,", "great.", "\n", "café", "東京", "!")
sentence = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
pairs = st.lists(st.tuples(sentence, sentence), min_size=1, max_size=6)


def texts_of(given: Sequence[tuple[str | None, str]]) -> Texts:
    return Texts(texts=[text for text, _ in given], references=[(reference,) for _, reference in given])


def corpus(spelling: str, texts: Texts) -> float:
    """The run's value of a metric whose sums over units give it."""
    bound = metric(spelling)
    scores = bound(texts)
    assert scores.sums is not None
    assert bound.definition.combine is not None
    return float(bound.definition.combine(scores.sums[scores.scored].sum(0), bound.parameters))


def mean(spelling: str, texts: Texts) -> float:
    """The run's value of a mean over units."""
    scores = metric(spelling)(texts)
    assert scores.total is None
    return float(scores.values[scores.scored].mean())


def why(spelling: str, texts: Texts) -> list[str | None]:
    """The reason of each unit that has no score; None for one that has."""
    scores = metric(spelling)(texts)
    found: list[str | None] = [None] * len(texts)
    for name, mask in scores.reasons.items():
        for row in np.flatnonzero(mask).tolist():
            assert found[row] is None
            found[row] = name
    assert np.isfinite(scores.values[scores.scored]).all()
    return found
