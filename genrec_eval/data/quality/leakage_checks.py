"""What the leakage audit looks for, one method per question."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.core.numbers import count as written
from genrec_eval.core.numbers import exact
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Interactions
from genrec_eval.data.quality.finding import Finding, Severity
from genrec_eval.data.splits.base import Split
from genrec_eval.data.splits.pairs import found_in, keys, keys_of
from genrec_eval.data.splits.popular import NEVER, item_counts
from genrec_eval.data.tables.streams import clip
from genrec_eval.protocol.arrays import Int64, distinct_of

LEAST_TWIN = 5
"""Users with fewer interactions are alike by chance."""
_EXAMPLES = 3
_MIX, _MIX_TOO = np.int64(-7046029254386353131), np.int64(-4417276706812531889)  # odd, from splitmix64


class Checks:
    """The questions of the audit, on the arrays of one split."""

    def __init__(self, split: Split) -> None:
        self.dataset, self.split = split.dataset, split
        self.width = len(split.dataset.items)
        self.train = split.training.interactions
        facts = split.facts
        self.method = str(facts.get("method"))
        self.keeps_repeats = facts.get("repeats") == "keep"
        # what the session does not tell is new to it
        self.knows_session_only = facts.get("context") == "session"
        self.orders_users = self.method != "random" and facts.get("pick") != "random"
        self.orders_all = self.method == "global-temporal" or (
            self.method == "session" and facts.get("cut") is not None
        )

    @cached_property
    def train_keys(self) -> Int64:
        return keys(self.train.user, self.train.item, self.width)

    @cached_property
    def target_keys(self) -> Int64:
        return keys_of(self.split.truth, self.width, self.split.users)

    @cached_property
    def target_in_training(self) -> npt.NDArray[np.bool_]:
        return found_in(self.target_keys, self.train_keys)

    def targets(self) -> Iterator[Finding]:
        split, n = self.split, len(self.split.truth.values)
        hit = self.target_in_training
        allowed = ""
        if self.keeps_repeats:
            allowed = ", as a split that keeps repeats allows"
        elif self.knows_session_only:
            allowed = ", as a history of the session alone allows"
        yield self.finding(
            "target-in-training",
            int(np.count_nonzero(hit)),
            n,
            "note" if self.keeps_repeats or self.knows_session_only else "warning",
            "targets are items with which the same user interacts in the training" + allowed,
            "No user interacts with a target in the training.",
            self.pairs(self.target_keys[hit]),
        )
        by_case = keys_of(split.truth, self.width)
        hit = found_in(by_case, keys_of(split.history, self.width))
        yield self.finding(
            "target-in-history",
            int(np.count_nonzero(hit)),
            n,
            "note" if self.keeps_repeats else "warning",
            "targets are in the history that is sent with the question"
            + (allowed if self.keeps_repeats else ""),
            "No history holds a target.",
            self.pairs(self.target_keys[hit]),
        )
        if self.train.timestamp is not None and split.held_out.timestamp is not None:
            held = _marks(split.held_out, self.width)
            hit = found_in(held, _marks(self.train, self.width))
            yield self.finding(
                "test-in-training",
                int(np.count_nonzero(hit)),
                len(held),
                "warning",
                "test interactions are in the training too: same user, item and time",
                "No test interaction is in the training.",
                self.pairs(keys(split.held_out.user[hit], split.held_out.item[hit], self.width)),
            )

    def time(self) -> Iterator[Finding]:
        split, cut, when = self.split, self.split.cut, self.train.timestamp
        if cut is None or when is None or not len(when):
            if len(self.train):
                yield Finding(
                    name="training-after-cut",
                    count=0,
                    of=len(self.train),
                    severity="note",
                    sentence="Without timestamps it cannot be told whether the training holds the future.",
                )
            return
        severity: Severity = "warning" if self.orders_all else "note"
        held = split.held_out.timestamp
        start = int(cut.min() if held is None or not len(held) else min(cut.min(), held.min()))
        later = when > start
        moments, cases = np.unique(cut, return_counts=True)
        ordered = np.sort(when)
        after = len(when) - np.searchsorted(ordered, moments, side="right")
        mean = float((after * cases).sum() / len(when) / cases.sum())
        rows = np.flatnonzero(later)
        yield self.finding(
            "training-after-cut",
            len(rows),
            len(when),
            severity,
            "training interactions are later than the earliest test interaction; of the average case"
            f" {_percent(mean)} of the training lies in its future",
            "No training interaction is later than any test interaction.",
            self.pairs(self.train_keys[rows[:_EXAMPLES]]),
        )
        since = np.full(self.width, NEVER, np.int64)
        np.minimum.at(since, self.train.item, when)  # whatever the order: nothing is taken on trust
        first = since[split.truth.values]
        hit = (first > np.repeat(cut, split.truth.lengths)) & (first != NEVER)
        yield self.finding(
            "items-from-the-future",
            int(np.count_nonzero(hit)),
            len(hit),
            severity,
            "targets are items that nobody in the training had before the time of the question; models know"
            " them from the future alone",
            "No target is known to the training from the future alone.",
            self.pairs(self.target_keys[hit]),
        )
        yield self.late_history(cut)

    def late_history(self, cut: Int64) -> Finding:
        split, log = self.split, self.dataset.interactions
        found = np.empty(0, np.int64)
        if log.timestamp is not None:
            # of a user with several cases, what is later than the latest of them
            until = np.full(len(self.dataset.users), NEVER, np.int64)
            until[split.users] = np.iinfo(np.int64).min
            np.maximum.at(until, split.users, cut)
            late = log.timestamp > until[log.user]
            early = ~late & (until != NEVER)[log.user]
            pairs = keys(log.user[late], log.item[late], self.width)
            pairs = pairs[found_in(pairs, keys_of(split.history, self.width, split.users))]
            pairs = pairs[~found_in(pairs, keys(log.user[early], log.item[early], self.width))]
            _, first = np.unique(pairs // self.width, return_index=True)
            found = pairs[first]
        return self.finding(
            "history-after-cut",
            len(found),
            len(distinct_of(split.users)),
            "warning" if self.orders_users else "note",
            "users are asked with a history that holds items they came to later than their first target",
            "No history holds an item that came later than the target.",
            self.pairs(found),
        )

    def users(self) -> Iterator[Finding]:
        users = distinct_of(self.split.users)
        trained = np.bincount(self.train.user, minlength=len(self.dataset.users)) > 0
        apart = self.method == "strong-generalisation"
        if apart:
            hit = users[trained[users]]
            yield self.finding(
                "held-out-user-in-training",
                len(hit),
                len(users),
                "warning",
                "users who should be unknown to the training have interactions there",
                "No tested user is in the training, as strong generalisation asks.",
                self.names(hit),
            )
        else:
            hit = users[~trained[users]]
            yield self.finding(
                "user-without-training",
                len(hit),
                len(users),
                "warning" if self.split.facts.get("cold_users") == "exclude" else "note",
                "tested users have no training interaction",
                "Every tested user has training interactions.",
                self.names(hit),
            )
        yield self.twins()

    def twins(self) -> Finding:
        log, n = self.dataset.interactions, len(self.dataset.users)
        counts = np.bincount(log.user, minlength=n)
        drawn = generator(0, "leakage item marks").integers(0, 1 << 32, (2, self.width)).astype(np.float64)
        # sums of 32-bit marks are exact in float64 up to two million interactions of a user
        sums = [np.bincount(log.user, weights=mark[log.item], minlength=n) for mark in drawn]
        able = np.flatnonzero(counts >= LEAST_TWIN)
        order = able[np.lexsort((counts[able], sums[1][able], sums[0][able]))]
        new = np.ones(len(order), bool)
        new[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in (*sums, counts)], axis=0)
        group = np.cumsum(new) - 1
        several = np.bincount(group, minlength=1)[group] > 1
        team = np.full(n, -1, np.int64)
        team[order[several]] = group[several]
        found = np.flatnonzero(team >= 0)
        known = self.known_of_a_twin(team) if len(found) else 0
        what = f"users have exactly the interactions of another user (of users with {LEAST_TWIN} or more)"
        if known:
            what += f"; {written(known)} targets are in the training of the user's double"
        return self.finding(
            "duplicate-user",
            len(found),
            len(able),
            "warning" if known else "note",
            what,
            f"No two users with {LEAST_TWIN} or more interactions have the same ones.",
            self.names(order[several]),
        )

    def known_of_a_twin(self, team: Int64) -> int:
        """Targets that are in the training of a double and not in that of the user."""
        split, width = self.split, self.width
        owner = team[np.repeat(split.users, split.truth.lengths)]
        asked = (owner >= 0) & ~self.target_in_training
        theirs = team[self.train.user]
        some = theirs >= 0
        hit = found_in(
            keys(owner[asked], split.truth.values[asked], width),
            keys(theirs[some], self.train.item[some], width),
        )
        return int(np.count_nonzero(hit))

    def repeated(self) -> Finding:
        log = self.dataset.interactions
        marks = np.sort(_marks(log, self.width))
        again = marks[1:][marks[1:] == marks[:-1]]
        examples: tuple[str, ...] = ()
        if len(again):
            rows = np.flatnonzero(found_in(_marks(log, self.width), again[:1]))[:1]
            examples = self.pairs(keys(log.user[rows], log.item[rows], self.width))
        return self.finding(
            "duplicate-interaction",
            len(again),
            len(log),
            "note",
            "interactions come again with the same user and item"
            + (" (whether at another time is not known)" if log.timestamp is None else " at the same time"),
            "No interaction comes twice.",
            examples,
        )

    def popularity(self, stored: npt.NDArray[Any]) -> Finding:
        counts = item_counts(self.train, self.width)
        if stored.shape != counts.shape:
            raise ValueError(f"train_counts has shape {stored.shape}, and there are {self.width} items")
        wrong = np.flatnonzero(stored != counts)
        with_test = len(wrong) and (stored == counts + item_counts(self.split.held_out, self.width)).all()
        return self.finding(
            "popularity-with-test",
            len(wrong),
            self.width,
            "warning",
            "items have a stored popularity that is not their number of training interactions"
            + ("; it counts the test as well" if with_test else ""),
            "The stored popularity counts the training and nothing else.",
            tuple(
                f"item {self.item(code)}: {int(stored[code])} stored, {int(counts[code])} in the training"
                for code in wrong[:_EXAMPLES]
            ),
        )

    def candidates(self) -> Iterator[Finding]:
        offered, truth = self.split.candidates, self.split.truth
        if offered is None:
            return
        hit = ~found_in(keys_of(truth, self.width), keys_of(offered, self.width))
        yield self.finding(
            "target-not-offered",
            int(np.count_nonzero(hit)),
            len(hit),
            "note",
            "targets are not among the candidates of their case, so that no model can find them",
            "Every target is among the candidates of its case.",
            self.pairs(self.target_keys[hit]),
        )
        asked = np.flatnonzero((offered.lengths > 1) & (truth.lengths < offered.lengths))
        if not len(asked):
            return
        lead = offered.values[offered.offsets[asked]]
        first = found_in(keys(asked, lead, self.width), keys_of(truth, self.width))
        chance = np.minimum(1.0, truth.lengths[asked] / offered.lengths[asked])
        expected, spread = chance.sum(), np.sqrt((chance * (1 - chance)).sum())
        telling = int(np.count_nonzero(first))
        if telling <= expected + 6 * spread:
            telling = 0
        yield self.finding(
            "target-first-among-candidates",
            telling,
            len(asked),
            "warning",
            f"cases have a target as the first candidate, where chance would put {written(round(expected))};"
            " models that keep the order of ties are rewarded",
            "The first candidate is a target no more often than by chance.",
            self.pairs(keys(self.split.users[asked[first]], lead[first], self.width)) if telling else (),
        )

    def finding(
        self, name: str, found: int, of: int, severity: Severity, bad: str, good: str, examples: Any
    ) -> Finding:
        if not found:
            return Finding(name=name, count=0, of=of, severity="ok", sentence=good)
        sentence = f"{written(found)} of {written(of)} ({_percent(found / of)}) {bad}."
        return Finding(
            name=name, count=found, of=of, severity=severity, sentence=sentence, examples=tuple(examples)
        )

    def pairs(self, found: Int64) -> tuple[str, ...]:
        users, items = np.divmod(found[:_EXAMPLES], self.width)
        return tuple(
            f"{user}, item {self.item(item)}" for user, item in zip(self.names(users), items, strict=True)
        )

    def names(self, users: npt.NDArray[np.integer]) -> tuple[str, ...]:
        return tuple(f"user {clip(self.dataset.users.ids[int(code)])}" for code in users[:_EXAMPLES])

    def item(self, code: Any) -> str:
        return clip(self.dataset.items.ids[int(code)])


def _marks(log: Interactions, width: int) -> Int64:
    """One number per (user, item, time); different ones have the same by a chance of 2**-64 per pair."""
    pairs = keys(log.user, log.item, width)
    if log.timestamp is None:
        return pairs
    with np.errstate(over="ignore"):
        return (pairs * _MIX) ^ (log.timestamp * _MIX_TOO)


def _percent(share: float) -> str:
    text = exact(100 * share)
    return "almost all" if text == "100" and share < 1 else f"{text} %"
