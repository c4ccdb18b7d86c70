"""A whole run against a recomputation from the raw files that shares no code with the project."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import genrec_eval
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import RankRequest, Request
from genrec_eval.protocol.responses import Answer, RankResponse
from genrec_eval.protocol.status import Status

K, CUT, RELEVANT, SMALLEST = 6, 0.7, 3.0, 5
SHORT_CUT = 3
UNANSWERED = {"timeout", "rate_limited", "unavailable", "not_attempted", "error", "missing"}


class Erratic(Model):
    """Does everything that a stranger's model may do, differently in every repeat."""

    kinds = frozenset({"rank"})

    def identity(self) -> dict[str, Any]:
        return {"adapter": "erratic"}

    async def answer(self, request: Request, call: Call) -> Answer:
        assert isinstance(request, RankRequest)
        draw = random.Random(f"{request.user} {call.repeat}")
        known = [f"i{number}" for number in range(70)]
        items = draw.sample(known, K)
        mood = draw.choice(
            ["well", "well", "invents", "repeats", "short", "empty", "raises", "refuses", "breaks", "long",
             "junk", "seen", "cut", "repeats its inventions"]
        )  # fmt: skip
        if mood == "raises":
            return Answer(status=Status.ERROR, error="no such user")
        if mood == "refuses":
            return Answer(status=Status.REFUSED)
        if mood == "breaks":
            return Answer(status=Status.INVALID, error="scores hold NaN", raw="NaN")
        if mood == "cut":
            return Answer(status=Status.TRUNCATED, response=RankResponse(items=tuple(items[:4])))
        found = {
            "invents": [*items[:2], "nowhere", *items[2:], "elsewhere"],
            "repeats": [*items[:3], items[0], items[2], items[2]],
            "repeats its inventions": ["nowhere", items[0], "nowhere", "nowhere", items[0], items[1]],
            "short": items[: draw.randrange(1, K)],
            "empty": [],
            "long": draw.sample(known, 20),
            "junk": ["x", "y", "", "x"],
            "seen": [*request.history[:4], *items[:2]],
        }.get(mood, items)
        return Answer(response=RankResponse(items=tuple(found)))


def write_files(folder: Path) -> None:
    """Interactions out of order in time, with ties, repeats and low ratings; groups that are not known."""
    draw = random.Random(4)
    users, items = [f"u{n}" for n in range(110)], [f"i{n}" for n in range(60)]
    rows = []
    for user in users:
        for _ in range(draw.randrange(1, 25)):
            item = items[min(int(draw.expovariate(1 / 14)), len(items) - 1)]
            rows.append((user, item, draw.choice([1, 2, 3, 3.5, 4, 5]), draw.randrange(1_000, 1_120)))
    rows += draw.sample(rows, 40)
    draw.shuffle(rows)
    frame = pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"])
    frame.to_csv(folder / "interactions.csv", index=False)
    pd.DataFrame({"item": [f"i{n}" for n in range(70)]}).to_csv(folder / "items.csv", index=False)
    groups = [draw.choice(["red", "green", "blue", ""]) for _ in users[:-8]] + ["rare"] * 3 + ["red"] * 5
    pd.DataFrame({"user": users, "colour": groups}).to_csv(folder / "users.csv", index=False)


SUITE = {
    "name": "independent",
    "seed": 11,
    "data": {
        "own": {
            "dataset": "files",
            "options": {
                "interactions": "interactions.csv", "items": "items.csv", "users": "users.csv",
                "groups": ["colour"],
            },
        }
    },
    "models": {
        "popularity": {"adapter": "reference", "model": "popularity"},
        "random": {"adapter": "reference", "model": "random"},
        "item-knn": {"adapter": "reference", "model": "item-knn"},
        "seen-items": {"adapter": "reference", "model": "seen-items"},
    },
    "scenarios": {
        "top-k": {
            "scenario": "top-k",
            "data": "own",
            "options": {
                "k": K, "split": {"fraction": CUT}, "min_rating": RELEVANT, "groups": ["colour"],
                "metrics": ["ndcg", "recall", "precision", "mrr", "hit_rate", "coverage", "popularity",
                            f"ndcg@{SHORT_CUT}", f"coverage@{SHORT_CUT}", f"duplicate@{SHORT_CUT}"],
            },
        }
    },
    "baseline": "popularity",
    "claims": [
        {"claim": "KNN wins for red", "scenario": "top-k", "metric": f"recall@{K}", "slice": "colour=red",
         "model": "item-knn", "against": "popularity", "better_by": 0}
    ],
    "engine": {"repeats": 2, "retries": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.api.Run:
    folder = tmp_path_factory.mktemp("independent")
    write_files(folder)
    (folder / "suite.json").write_text(json.dumps(SUITE))
    return genrec_eval.run(
        folder / "suite.json", models={"erratic": Erratic()}, out=folder / "run", quiet=True, report=False
    )


class Own:
    """Split, lists and scores from the raw files and the records alone."""

    def __init__(self, run: genrec_eval.api.Run) -> None:
        folder = run.path.parent
        raw = pd.read_csv(folder / "interactions.csv").drop_duplicates(["user", "item", "timestamp"])
        raw = raw.sort_values("timestamp", kind="stable")
        cut = raw["timestamp"].iloc[int(CUT * len(raw))]
        train, test = raw[raw["timestamp"] < cut], raw[raw["timestamp"] >= cut]
        self.catalogue = set(pd.read_csv(folder / "items.csv")["item"]) | set(raw["item"])
        self.count = Counter(train["item"])
        self.seen = {user: set(rows["item"]) for user, rows in train.groupby("user")}
        self.history = Counter(train["user"])
        self.truth: dict[str, set[str]] = {}
        for user, rows in test[test["rating"] >= RELEVANT].groupby("user"):
            if new := set(rows["item"]) - self.seen.get(user, set()):
                self.truth[user] = new
        people = pd.read_csv(folder / "users.csv", keep_default_na=False)
        self.colour = dict(zip(people["user"], people["colour"], strict=True))
        self.models = [*SUITE["models"], "erratic"]  # type: ignore[misc]
        self.lists: dict[tuple[str, str, int], list[str]] = {}
        self.answered: dict[tuple[str, str, int], bool] = {}
        files = sorted((run.path / "records").glob("*.parquet"))
        for row in pd.concat([pd.read_parquet(file) for file in files]).itertuples():
            key = (row.model, row.unit, row.repeat)
            assert key not in self.answered
            self.answered[key] = row.status not in UNANSWERED
            usable = row.status in ("ok", "truncated")
            self.lists[key] = list(row.items) if usable and row.items is not None else []

    def slices(self) -> dict[str, list[str]]:
        found = {"all": list(self.truth)}
        for user in self.truth:
            if self.colour[user]:
                found.setdefault(f"colour={self.colour[user]}", []).append(user)
            n = self.history[user]
            size = "none" if n == 0 else "1-9" if n < 10 else "10-49" if n < 50 else "50+"
            found.setdefault(f"history={size}", []).append(user)
        return found

    def one(self, metric: str, model: str, user: str, repeat: int) -> float | str:
        """A number, or the reason why there is none."""
        name, _, cutoff = metric.partition("@")
        k = int(cutoff)
        items, answered = self.lists[model, user, repeat][:k], self.answered[model, user, repeat]
        truth = self.truth[user]
        first = [item not in items[:place] for place, item in enumerate(items)]
        hits = [place for place, item in enumerate(items) if item in truth and first[place]]
        if name == "recall":
            return len(hits) / len(truth)
        if name == "precision":
            return len(hits) / k
        if name == "hit_rate":
            return float(bool(hits))
        if name == "mrr":
            return 1 / (hits[0] + 1) if hits else 0.0
        if name == "ndcg":
            ideal = math.fsum(1 / math.log2(place + 2) for place in range(min(k, len(truth))))
            return math.fsum(1 / math.log2(place + 2) for place in hits) / ideal
        if not answered:
            return "unanswered"
        if name == "short":
            room = min(k, len(self.catalogue - self.seen.get(user, set())))
            return max(room - len(items), 0) / room
        if not items:
            return "empty-list"
        if name == "popularity":
            valid = [self.count[item] for item in items if item in self.catalogue]
            return sum(valid) / len(valid) if valid else "no-valid-item"
        flawed = {
            "invalid": [item not in self.catalogue for item in items],
            "duplicate": [not new for new in first],
            "seen": [item in self.seen.get(user, set()) for item in items],
        }[name]
        return sum(flawed) / len(items)

    def unit(self, metric: str, model: str, user: str) -> float | str:
        """Mean over the repeats that have a value."""
        repeats = [self.one(metric, model, user, repeat) for repeat in (0, 1)]
        values = [value for value in repeats if not isinstance(value, str)]
        if values:
            return math.fsum(values) / len(values)
        order = ["empty-list", "no-valid-item", "unanswered"]  # answered once is answered
        return min((str(reason) for reason in repeats), key=order.index)

    def coverage(self, metric: str, model: str) -> float:
        k = int(metric.partition("@")[2])
        shares = []
        for repeat in (0, 1):
            listed = {item for user in self.truth for item in self.lists[model, user, repeat][:k]}
            shares.append(len(listed & self.catalogue) / len(self.catalogue))
        return sum(shares) / 2


Key = tuple[str, str, str, str | None]
Row = tuple[float | None, int, int, int, dict[str, int]]


def recomputed(own: Own) -> dict[Key, Row]:
    """(metric, model, slice, baseline) → value, attempted, answered, scored, excluded."""
    names = ("ndcg", "recall", "precision", "mrr", "hit_rate", "popularity", "invalid", "duplicate", "seen",
             "short")  # fmt: skip
    metrics = [*(f"{name}@{K}" for name in names), f"ndcg@{SHORT_CUT}", f"duplicate@{SHORT_CUT}"]
    slices = own.slices()
    heard = {
        model: {user for user in own.truth if own.answered[model, user, 0] or own.answered[model, user, 1]}
        for model in own.models
    }
    pairs = [(b, a) for a, b in itertools.combinations(own.models, 2)]
    compared = [(model, None, name) for model in own.models for name in slices]
    compared += [(model, baseline, "all") for model, baseline in pairs]
    compared += [("item-knn", "popularity", "colour=red")]
    found: dict[Key, Row] = {}
    for metric in metrics:
        scores = {m: {user: own.unit(metric, m, user) for user in own.truth} for m in own.models}
        for model, baseline, name in compared:
            values, excluded = [], Counter()
            for user in slices[name]:
                ours, theirs = scores[model][user], 0.0 if baseline is None else scores[baseline][user]
                if isinstance(ours, str) or isinstance(theirs, str):
                    excluded[ours if isinstance(ours, str) else theirs] += 1
                else:
                    values.append(ours - theirs)
            both = heard[model] if baseline is None else heard[model] & heard[baseline]
            enough = len(values) >= (1 if name == "all" else SMALLEST)
            found[metric, model, name, baseline] = (
                math.fsum(values) / len(values) if enough else None,
                len(slices[name]),
                len(both & set(slices[name])),
                len(values),
                dict(excluded),
            )
    for metric in (f"coverage@{K}", f"coverage@{SHORT_CUT}"):
        shares = {model: own.coverage(metric, model) for model in own.models}
        n = len(own.truth)
        for model in own.models:
            found[metric, model, "all", None] = (shares[model], n, len(heard[model]), n, {})
        for model, baseline in pairs:
            both = len(heard[model] & heard[baseline])
            found[metric, model, "all", baseline] = (shares[model] - shares[baseline], n, both, n, {})
    return found


def test_every_number_of_a_run_is_what_plain_python_makes_of_its_files(run: genrec_eval.api.Run) -> None:
    own = Own(run)
    wanted = recomputed(own)
    document = json.loads((run.path / "estimates.json").read_text())
    found = {(e["metric"], e["model"], e["slice"], e["baseline"]): e for e in document["estimates"]}
    assert len(found) == len(document["estimates"])
    # these take more than lists and counts to recompute, and are tested by themselves
    apart = ("tied", "misordered", "future", "peeking")
    found = {key: row for key, row in found.items() if key[0].partition("@")[0] not in apart}
    assert set(found) == set(wanted)
    for key, (value, attempted, answered, scored, excluded) in wanted.items():
        row = found[key]
        counts = {name: row[name] for name in ("attempted", "answered", "scored", "n", "excluded")}
        assert counts == {
            "attempted": attempted, "answered": answered, "scored": scored, "n": scored, "excluded": excluded,
        }, key  # fmt: skip
        assert row["value"] == (None if value is None else pytest.approx(value, rel=0, abs=1e-12)), key
        assert (row["reason"] is None) == (row["low"] is not None), key
    # the run was worth the comparison
    assert len(own.truth) > 60
    reasons = {reason for row in wanted.values() for reason in row[4]}
    assert reasons == {"unanswered", "empty-list", "no-valid-item"}
    statuses = Counter(status for row in document["coverage"] for status in row["statuses"])
    assert {"ok", "error", "refused", "invalid", "truncated"} <= set(statuses)
    first = run.records("random", "top-k").sort_values(["unit", "repeat"]).groupby("unit")["items"]
    assert any(list(lists.iloc[0]) != list(lists.iloc[1]) for _, lists in first)
    assert any(value is None for value, *_ in wanted.values())


def test_coverage_rows_count_the_records(run: genrec_eval.api.Run) -> None:
    own = Own(run)
    for row in run.results.coverage:
        keys = [key for key in own.answered if key[0] == row.model]
        assert row.attempted == len(keys) == sum(row.statuses.values()) == 2 * len(own.truth)
        assert row.answered == sum(own.answered[key] for key in keys)
