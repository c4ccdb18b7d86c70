"""Users and catalogues with everything that metrics beyond accuracy look at, drawn by hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import PAD, Ragged

N = 9
GENRES = ("Comedy", "Drama", "Horror", "War")
STUDIOS = ("Acme", "Gaumont", "Toho")

PER_USER = (
    "popularity",
    "popularity(scale=share)",
    "popularity_lift",
    "long_tail",
    "long_tail(by=items,share=0.5)",
    "novelty",
    "novelty(of=users)",
    "novelty(scale=share,unseen=skip)",
    "ild",
    "ild(of=embeddings)",
    "serendipity",
    "serendipity(of=embeddings)",
    "unexpectedness",
    "calibration",
    "calibration(divergence=js)",
    "calibration(divergence=hellinger,weights=rank)",
    "exposure(group=Toho)",
    "exposure(by=attributes,group=War,relative=train,weights=geometric)",
    "exposure(group=Acme,relative=catalogue,weights=uniform)",
    "unlabelled",
    "unlabelled(by=attributes,weights=geometric)",
    "collision",
    "outside",
    "usable",
    "tied",
    "misordered",
    "future",
    "future(of=first_seen)",
    "peeking",
)
OF_THE_RUN = (
    "gini",
    "gini(divisor=n-1)",
    "entropy",
    "entropy(base=e)",
    "entropy(base=items)",
    "entropy_over_time",
    "entropy_over_time(periods=3)",
)
"""Metrics beyond accuracy and coverage, in some of their variants."""


@dataclass
class Shopper:
    listed: list[int]
    scores: list[float]
    """As long as ``listed``; NaN for none."""
    relevant: list[int] = field(default_factory=list)
    history: list[int] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)
    answered: bool = True
    cut: int = 0


@dataclass
class Shelf:
    counts: list[int]
    users: list[int]
    later: list[int]
    first: list[int]
    genres: list[list[int]]
    studio: list[int]
    vectors: list[list[float]]
    ambiguous: list[bool]

    def catalogue(self) -> Catalogue:
        return Catalogue(
            train_counts=np.array(self.counts, np.int64),
            train_users=np.array(self.users, np.int64),
            n_users=10,
            attributes=Ragged.from_lists(self.genres),
            attribute_names=GENRES,
            embeddings=np.array(self.vectors, np.float32),
            providers=np.array(self.studio, np.int32),
            provider_names=STUDIOS,
            test_counts=np.array(self.later, np.int64),
            first_seen=np.array(self.first, np.int64),
            ambiguous=np.array(self.ambiguous, bool),
        )

    def renamed(self, code: list[int]) -> Shelf:
        """Item i becomes item code[i]."""
        back = np.argsort(code).tolist()
        return Shelf(**{name: [part[i] for i in back] for name, part in vars(self).items()})


def build(shoppers: list[Shopper], shelf: Shelf, candidates: bool = True, scores: bool = True) -> RankedLists:
    """The arrays that metrics take."""
    width = max([len(shopper.listed) for shopper in shoppers], default=0)
    items = np.full((len(shoppers), width), PAD, np.int32)
    values = np.full((len(shoppers), width), np.nan)
    for row, shopper in enumerate(shoppers):
        items[row, : len(shopper.listed)] = shopper.listed
        values[row, : len(shopper.listed)] = shopper.scores
    return RankedLists(
        items=items,
        truth=Ragged.from_lists([shopper.relevant for shopper in shoppers]),
        history=Ragged.from_lists([shopper.history for shopper in shoppers]),
        answered=np.array([shopper.answered for shopper in shoppers], bool),
        catalogue=shelf.catalogue(),
        scores=values if scores else None,
        candidates=Ragged.from_lists([shopper.candidates for shopper in shoppers]) if candidates else None,
        cut=np.array([shopper.cut for shopper in shoppers], np.int64),
    )


_items = st.integers(0, N - 1)
_slots = st.lists(
    st.tuples(_items | st.sampled_from([-3, -2]), st.sampled_from([0.0, -0.5, 1.0, 2.0, float("nan")])),
    max_size=7,
)


def _shopper(slots: list[tuple[int, float]], **rest: object) -> Shopper:
    return Shopper(listed=[item for item, _ in slots], scores=[score for _, score in slots], **rest)


shoppers = st.lists(
    st.builds(
        _shopper,
        slots=_slots,
        relevant=st.lists(_items, unique=True, max_size=4),
        history=st.lists(_items | st.just(-1), max_size=6) | st.just(list(range(N))),
        candidates=st.lists(_items, max_size=6),
        answered=st.sampled_from([True, True, True, False]),
        cut=st.integers(0, 5),
    ),
    min_size=1,
    max_size=7,
)


def _each(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(values, min_size=N, max_size=N)


NEVER = np.iinfo(np.int64).max
shelves = st.builds(
    Shelf,
    counts=_each(st.integers(0, 5)),
    users=_each(st.integers(0, 4)),
    later=_each(st.integers(0, 4)),
    first=_each(st.integers(0, 6) | st.just(NEVER)),
    genres=_each(st.lists(st.integers(0, len(GENRES) - 1), unique=True, max_size=3).map(sorted)),
    studio=_each(st.integers(-1, len(STUDIOS) - 1)),
    vectors=_each(st.sampled_from([[0.0, 0.0], [1.0, 0.0], [0.5, 2.0], [-1.0, 1.0]])),
    ambiguous=_each(st.booleans()),
)
cutoffs = st.integers(1, 8)


def run_value(shoppers: list[Shopper], shelf: Shelf, spelling: str, metric: object) -> float | None:
    """The run's value without its losses; None when nobody is scored."""
    scores = metric(spelling)(build(shoppers, shelf))
    return scores.total if scores.scored.any() else None


def without(shoppers: list[Shopper], row: int) -> list[Shopper]:
    """All but one, who stays as a user without an answer so that periods keep their size."""
    return [replace(one, answered=one.answered and i != row) for i, one in enumerate(shoppers)]
