"""What is usually wrong with data, one method per suspicion."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from genrec_eval.core.numbers import count as written
from genrec_eval.core.numbers import exact
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.quality.finding import Finding, looked_for
from genrec_eval.data.quality.ids import IdSuspicions
from genrec_eval.data.splits.pairs import found_in, keys_of
from genrec_eval.data.tables.streams import clip
from genrec_eval.protocol.arrays import Int64, stable_order

SCALES = {
    "movielens": (0.5, 5.0),
    "amazon": (1.0, 5.0),
    "goodbooks": (1.0, 5.0),
    "yelp": (1.0, 5.0),
    "book-crossing": (1.0, 10.0),
}
"""Kind of dataset → lowest and highest rating."""
HEAVY = 0.05
"""Share of all interactions from which on one user is no user like others."""
LEAST_USERS = 100
"""With fewer users a large share is no wonder."""

_USUAL = (
    (1.0, 5.0),
    (0.5, 5.0),
    (0.0, 5.0),
    (1.0, 10.0),
    (0.0, 10.0),
    (0.0, 1.0),
    (1.0, 100.0),
    (0.0, 100.0),
)
_MOST_ODD = 0.005
_1990 = 631_152_000
_EXAMPLES = 3


class Suspicions:
    """The questions, on the arrays of one dataset."""

    def __init__(self, dataset: Dataset, kind: str, per_user: Int64, now: float) -> None:
        self.dataset, self.kind, self.per_user, self.now = dataset, kind, per_user, now
        self.log = dataset.interactions

    def all(self) -> list[Finding]:
        """Every finding, those without a find included."""
        return [
            self.empty(),
            *([self.splittable()] if len(self.log) else []),
            *([self.future(), self.old(), self.order()] if self.when is not None else []),
            *([self.scale(), self.constant(), self.zeros()] if self.rated is not None else []),
            self.duplicates(),
            *([self.heavy()] if len(self.log) else []),
            *([self.unanswerable()] if self.dataset.given is not None else []),
            *IdSuspicions(self.dataset).all(),
        ]

    @cached_property
    def when(self) -> Int64 | None:
        found = self.log.timestamp
        return None if found is None or not len(found) else found

    @cached_property
    def rated(self) -> npt.NDArray[np.float32] | None:
        found = self.log.rating
        return None if found is None or not len(found) else found

    def empty(self) -> Finding:
        """Nothing to learn from."""
        none = not len(self.log)
        given = self.dataset.given is not None and len(self.dataset.given) > 0
        return looked_for(
            "no-interactions",
            int(none),
            1,
            "note" if given else "warning",
            "There are no interactions" + (", only given cases: models learn nothing." if given else "."),
            "There are interactions.",
        )

    def splittable(self) -> Finding:
        """A split per user needs two interactions of somebody."""
        some = int((self.per_user > 0).sum())
        single = int((self.per_user == 1).sum())
        lost = some > 0 and single == some
        given = self.dataset.given is not None
        said = f"{written(single)} of {written(some)} users have one interaction"
        return looked_for(
            "one-interaction",
            single,
            some,
            "warning" if lost and not given else "note",
            f"{said}: none is left to learn from once it is held out."
            if lost
            else f"{said}, and drop out of every split that holds one back.",
            "Every user has several interactions.",
        )

    def future(self) -> Finding:
        """Times later than now."""
        assert self.when is not None
        late = self.when > self.now
        middle = float(np.median(self.when))
        hint = "; they look like milliseconds read as seconds" if middle > 1e11 else ""
        return looked_for(
            "future-times",
            int(late.sum()),
            len(late),
            "warning",
            f"{written(int(late.sum()))} timestamps lie in the future{hint}.",
            "No timestamp lies in the future.",
            self.rows(late),
        )

    def old(self) -> Finding:
        """Times before there was a recommender to log them."""
        assert self.when is not None
        early = self.when < _1990
        middle = float(np.median(self.when))
        hint = ""
        if _1990 <= middle * 1000 <= self.now:
            hint = "; they look like seconds read as milliseconds"
        elif int(self.when.min()) >= 0 and int(self.when.max()) < 10_000_000:
            hint = "; they look like positions or days, which order rows but tell no time"
        return looked_for(
            "times-before-1990",
            int(early.sum()),
            len(early),
            "warning",
            f"{written(int(early.sum()))} timestamps are before 1990{hint}.",
            "No timestamp is before 1990.",
            self.rows(early),
        )

    def order(self) -> Finding:
        """Users all of whose interactions bear one time: nothing tells which was last."""
        assert self.when is not None
        by_user = stable_order(self.log.user)
        user, when = self.log.user[by_user], self.when[by_user]
        starts = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
        several = np.diff(np.append(starts, len(user))) > 1
        first, last = np.minimum.reduceat(when, starts), np.maximum.reduceat(when, starts)
        flat = several & (first == last)
        n = int(flat.sum())
        return looked_for(
            "one-time-per-user",
            n,
            int(several.sum()),
            "note",
            f"{written(n)} users have all their interactions at one time: the order of the file decides which"
            " of them is the last.",
            "No user has all interactions at one time.",
            tuple(clip(self.user(code)) for code in user[starts[flat]][:_EXAMPLES]),
        )

    def scale(self) -> Finding:
        """Ratings outside the scale that the kind has, or that nearly all others are on."""
        assert self.rated is not None
        low, high = SCALES.get(self.kind) or _scale(self.rated) or (-np.inf, np.inf)
        odd = (self.rated < low) | (self.rated > high)
        n = int(odd.sum())
        return looked_for(
            "rating-off-scale",
            n,
            len(odd),
            "warning",
            f"{written(n)} ratings are not within {low:g} to {high:g}, the scale of"
            f" {'this data set' if self.kind in SCALES else 'nearly all others'}.",
            "No rating falls off the scale.",
            self.rows(odd),
        )

    def constant(self) -> Finding:
        """One rating for all."""
        assert self.rated is not None
        same = bool((self.rated == self.rated[0]).all())
        return looked_for(
            "constant-ratings",
            len(self.rated) if same else 0,
            len(self.rated),
            "note",
            f"All ratings are {self.rated[0]:g}: this is feedback without ratings, and errors of rating"
            " predictions say nothing.",
            "Ratings differ.",
        )

    def zeros(self) -> Finding:
        """Noughts beside a scale that begins at one."""
        assert self.rated is not None
        nought = self.rated == 0
        others = self.rated[~nought]
        apart = bool(len(others)) and float(others.min()) >= 1 and float(others.max()) > 1
        n = int(nought.sum()) if apart else 0
        return looked_for(
            "nought-ratings",
            n,
            len(nought),
            "note",
            f"{written(n)} ratings are 0 and all others 1 or more: 0 often stands for 'not rated', as in"
            " Book-Crossing.",
            "No rating of 0 stands beside a scale that begins at 1.",
        )

    def duplicates(self) -> Finding:
        """What the loader dropped."""
        facts = self.dataset.facts
        n, read = int(facts.get("duplicates_dropped", 0)), int(facts.get("rows_read", len(self.log)))
        differ = int(facts.get("duplicates_with_another_rating", 0))
        also = f", {written(differ)} of them with another rating" if differ else ""
        return looked_for(
            "duplicate-rows",
            n,
            read,
            "note",
            f"{written(n)} rows repeat user, item and time of another{also}; the first of each is kept.",
            "No row repeats another.",
            tuple(facts.get("duplicate_examples", ()))[:_EXAMPLES],
        )

    def heavy(self) -> Finding:
        """One user with a large part of everything."""
        some = int((self.per_user > 0).sum())
        heavy = (
            np.flatnonzero(self.per_user > HEAVY * len(self.log))
            if some >= LEAST_USERS
            else np.array([], int)
        )
        said = ", ".join(
            f"{clip(self.user(code))} ({exact(100 * self.per_user[code] / len(self.log))} %)"
            for code in heavy[:_EXAMPLES]
        )
        return looked_for(
            "heavy-user",
            len(heavy),
            some,
            "note",
            f"More than {HEAVY:.0%} of all interactions are one user's, perhaps a robot's: {said}.",
            f"No user has more than {HEAVY:.0%} of all interactions."
            if some >= LEAST_USERS
            else f"Fewer than {LEAST_USERS} users are too few to tell whether one of them has too many.",
        )

    def unanswerable(self) -> Finding:
        """Given cases in which no list can be right."""
        given = self.dataset.given
        assert given is not None
        lost = given.truth.lengths == 0
        if given.candidates is not None:
            n, owner = len(self.dataset.items), np.arange(len(given))
            shown = found_in(keys_of(given.truth, n, owner), keys_of(given.candidates, n, owner))
            right = np.bincount(np.repeat(owner, given.truth.lengths)[shown], minlength=len(given))
            lost = right == 0
        n = int(lost.sum())
        among = " among their candidates" if given.candidates is not None else ""
        return looked_for(
            "case-without-answer",
            n,
            len(given),
            "warning" if n == len(given) else "note",
            f"{written(n)} of {written(len(given))} given cases have no relevant item{among} and are left out"
            " of most metrics.",
            f"All given cases have a relevant item{among}.",
        )

    def user(self, code: np.integer) -> str:
        """The id."""
        return str(self.dataset.users.ids[int(code)])

    def rows(self, mask: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        """Who, what and when of the first that are meant."""
        said = []
        for row in np.flatnonzero(mask)[:_EXAMPLES]:
            user, item = self.user(self.log.user[row]), str(self.dataset.items.ids[int(self.log.item[row])])
            rating = "" if self.log.rating is None else f", rating {self.log.rating[row]:g}"
            time = "" if self.when is None else f", {np.datetime64(int(self.when[row]), 's')}Z"
            said.append(f"user {clip(user)}, item {clip(item)}{rating}{time}")
        return tuple(said)


def _scale(ratings: npt.NDArray[np.float32]) -> tuple[float, float] | None:
    """The narrowest usual scale in half steps that nearly all ratings are on, and is used to its end."""
    if not bool((ratings * 2 == np.round(ratings * 2)).mean() >= 1 - _MOST_ODD):
        return None
    for low, high in _USUAL:
        on = (ratings >= low) & (ratings <= high)
        if on.mean() >= 1 - _MOST_ODD and bool((ratings == high).any()):
            return low, high
    return None
