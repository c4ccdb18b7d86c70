"""What `data check` counts, recognises and suspects."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset, GivenCases, Interactions
from genrec_eval.data.loaders.folder import LAYOUTS
from genrec_eval.data.quality.check import Checked, check
from genrec_eval.data.quality.detect import detect
from genrec_eval.data.quality.finding import Finding
from genrec_eval.data.quality.ids import IdSuspicions
from genrec_eval.data.registry import DATASETS
from genrec_eval.protocol.arrays import Ragged, Vocabulary

NOW = 1.7e9
DAY = 86_400


def dataset(
    users: list[str],
    items: list[str],
    rows: list[tuple[int, int, float, int]],
    **changes: Any,
) -> Dataset:
    """User, item, rating and time per row, all by code."""
    user, item, rating, when = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    log = Interactions(
        user=np.asarray(user, np.int32),
        item=np.asarray(item, np.int32),
        rating=np.asarray(rating, np.float32),
        timestamp=np.asarray(when, np.int64),
    )
    known: dict[str, Any] = {
        "name": "toy",
        "users": Vocabulary(users),
        "items": Vocabulary(items),
        "interactions": log,
        "item_table": pa.table({"item": items}),
        "user_table": pa.table({"user": users}),
    }
    return Dataset(**{**known, **changes})


def good(**changes: Any) -> Dataset:
    """Three users with four items each."""
    rows = [
        (u, (u + n) % 5, 1 + (u + n) % 5, int(NOW) - DAY * (u * 7 + n + 1))
        for u in range(3)
        for n in range(4)
    ]
    return dataset(["a", "b", "c"], ["1", "2", "3", "4", "5"], rows, **changes)


def found(checked: Checked, name: str) -> Finding:
    return next(finding for finding in checked.findings if finding.name == name)


def suspicion(name: str, kind: str = "", **changes: Any) -> Finding:
    return found(check(good(**changes), kind, NOW), name)


def test_counts_by_hand() -> None:
    checked = check(good(), now=NOW)
    assert checked.sections["counts"] == {
        "users": 3,
        "items": 5,
        "interactions": 12,
        "pairs of user and item": 12,
        "sparsity": pytest.approx(1 - 12 / 15),
    }
    assert checked.sections["users"] == {
        "fewest": 4,
        "median": 4,
        "mean": 4,
        "most": 4,
        "with one interaction": 0,
        "without interactions": 0,
        "largest share of all": pytest.approx(1 / 3),
    }
    # items have 2, 2, 3, 3, 2 interactions: the top one of five has 3, and four carry 80 %
    items = checked.sections["items"]
    assert items["share of interactions on the top 20 %"] == pytest.approx(3 / 12)
    assert items["share of items in the long tail"] == pytest.approx(1 / 5)
    assert checked.sections["dates"]["last"] == "2023-11-13T22:13:20Z"
    assert checked.sections["dates"]["days"] == 17
    assert checked.ratings is not None
    assert checked.ratings["counts"] == {"1": 2, "2": 2, "3": 3, "4": 3, "5": 2}
    assert [finding for finding in checked.findings if finding.severity != "ok"] == []
    assert checked.sound
    assert json.loads(json.dumps(checked.to_json()))["schema"] == "genrec-eval/data-check/1"


def test_many_ratings_become_quantiles() -> None:
    log = good().interactions
    rating = np.linspace(0, 1, 12, dtype=np.float32).repeat(3)
    wide = Interactions(
        user=log.user.repeat(3), item=log.item.repeat(3), rating=rating + np.arange(36) / 1000
    )
    checked = check(good(interactions=wide), now=NOW)
    assert checked.ratings is not None
    assert checked.ratings["quantiles"]["0 %"] == 0
    assert checked.sections["dates"]["first"] is None


def with_times(change: Any) -> Interactions:
    log = good().interactions
    assert log.timestamp is not None
    return Interactions(
        user=log.user, item=log.item, rating=log.rating, timestamp=change(log.timestamp.copy())
    )


def one(at: int, value: int) -> Any:
    def change(when: np.ndarray) -> np.ndarray:
        when[at] = value
        return when

    return change


@pytest.mark.parametrize(
    ("change", "name", "count", "sentence"),
    [
        (one(3, int(NOW) + DAY), "future-times", 1, "1 timestamps lie in the future."),
        (lambda when: when * 1000, "future-times", 12, "milliseconds read as seconds."),
        (one(3, 0), "times-before-1990", 1, "1 timestamps are before 1990."),
        (lambda when: when // 1000, "times-before-1990", 12, "seconds read as milliseconds."),
        (
            lambda when: np.arange(12),
            "times-before-1990",
            12,
            "positions or days, which order rows but tell no time.",
        ),
    ],
)
def test_times_that_cannot_be(change: Any, name: str, count: int, sentence: str) -> None:
    finding = suspicion(name, interactions=with_times(change))
    assert (finding.severity, finding.count) == ("warning", count)
    assert finding.sentence.endswith(sentence)
    assert finding.examples[0].startswith("user '")


def test_a_time_is_named_in_the_examples() -> None:
    finding = suspicion("times-before-1990", interactions=with_times(one(3, 0)))
    assert finding.examples == ("user 'a', item '4', rating 4, 1970-01-01T00:00:00Z",)


def test_order_that_nobody_knows() -> None:
    same = with_times(lambda when: np.where(good().interactions.user == 1, when[4], when))
    finding = suspicion("one-time-per-user", interactions=same)
    assert (finding.severity, finding.count, finding.of, finding.examples) == ("note", 1, 3, ("'b'",))


def rated(values: Any) -> Interactions:
    log = good().interactions
    return Interactions(
        user=log.user, item=log.item, rating=np.asarray(values, np.float32), timestamp=log.timestamp
    )


def test_ratings_off_the_scale_of_the_kind() -> None:
    finding = suspicion("rating-off-scale", "movielens", interactions=rated([5] * 11 + [50]))
    assert (finding.severity, finding.count) == ("warning", 1)
    assert "not within 0.5 to 5, the scale of this data set" in finding.sentence
    assert suspicion("rating-off-scale", "kuairec", interactions=rated([5] * 11 + [50])).count == 0


@pytest.mark.parametrize(
    ("values", "odd", "scale"),
    [
        (([1, 2, 3, 4, 5] * 100) + [50], 1, "1 to 5"),
        (([0.5, 2.5, 4.5, 5] * 100) + [-1], 1, "0.5 to 5"),
        (([1, 7, 10, 3] * 100) + [99, 99], 2, "1 to 10"),
        ([0, 1, 2, 3, 4, 5] * 100, 0, ""),
        ([0.113, 2.7, 9.1] * 100 + [500.0], 0, ""),
        ([3, 17, 250, 4000] * 100, 0, ""),
    ],
)
def test_ratings_off_the_scale_of_nearly_all_others(values: list[float], odd: int, scale: str) -> None:
    rows = [(n % 7, n % 11, value, int(NOW) - n) for n, value in enumerate(values)]
    data = dataset([str(n) for n in range(7)], [str(n) for n in range(11)], rows)
    finding = found(check(data, now=NOW), "rating-off-scale")
    assert finding.count == odd
    assert scale in finding.sentence


def test_constant_ratings_and_noughts() -> None:
    assert suspicion("constant-ratings", interactions=rated([1] * 12)).sentence.startswith(
        "All ratings are 1: this"
    )
    finding = suspicion("nought-ratings", interactions=rated([0, 7, 8, 10] * 3))
    assert (finding.severity, finding.count) == ("note", 3)
    assert suspicion("nought-ratings", interactions=rated([0, 1] * 6)).count == 0


def test_one_user_with_a_large_part() -> None:
    rows = [(0, n % 50, 3.0 + n % 2, int(NOW) - n) for n in range(60)]
    rows += [(u, u % 50, 4.0, int(NOW) - u) for u in range(1, 200)]
    data = dataset([f"u{n}" for n in range(200)], [f"i{n}" for n in range(50)], rows)
    finding = found(check(data, now=NOW), "heavy-user")
    assert (finding.severity, finding.count, finding.of) == ("note", 1, 200)
    assert "'u0' (23.17 %)" in finding.sentence
    single = found(check(data, now=NOW), "one-interaction")
    assert (single.severity, single.count) == ("note", 199)


def test_nobody_can_be_split() -> None:
    finding = found(
        check(dataset(["a", "b"], ["1"], [(0, 0, 1, 10**9), (1, 0, 2, 10**9)]), now=NOW), "one-interaction"
    )
    assert finding.severity == "warning"
    assert "none is left to learn from" in finding.sentence


def test_nothing_at_all() -> None:
    checked = check(dataset(["a"], ["1"], []), now=NOW)
    assert found(checked, "no-interactions").severity == "warning"
    assert not checked.sound
    assert checked.ratings is None


def test_given_cases_without_an_answer() -> None:
    lists = [[1, 2], [], [4], [0]]
    given = GivenCases(
        user=np.array([0, 0, 1, 2], np.int32),
        history=Ragged.from_lists([[0], [0], [], []]),
        truth=Ragged.from_lists(lists),
        candidates=Ragged.from_lists([[2, 3], [1], [0, 1], [0]]),
    )
    checked = check(good(given=given), now=NOW)
    finding = found(checked, "case-without-answer")
    assert (finding.severity, finding.count, finding.of) == ("note", 2, 4)
    assert checked.sections["given cases"]["relevant items per case, mean"] == 1
    assert check(dataset(["a", "b", "c"], list("12345"), [], given=given), now=NOW).sound


def ids(
    users: list[str], items: list[str], rows: list[tuple[int, int]], name: str, **changes: Any
) -> Finding:
    data = dataset(users, items, [(u, i, 1.0, 10**9) for u, i in rows], **changes)
    return next(finding for finding in IdSuspicions(data).all() if finding.name == name)


def test_words_for_nothing() -> None:
    rows = [(n % 3, n % 2) for n in range(12)]
    finding = ids(["a", "NaN", "b"], ["1", "2"], rows, "padding-id")
    assert (finding.severity, finding.count, finding.examples) == ("warning", 1, ("user 'NaN'",))
    # one person of many may be called so
    many = [f"u{n}" for n in range(300)]
    finding = ids([*many, "None"], ["1"], [(n, 0) for n in range(301)], "padding-id")
    assert finding.severity == "note"
    assert ids(["a"], ["1", "[PAD]"], [(0, 0)], "padding-id").severity == "warning"


def test_id_0_that_nobody_met() -> None:
    finding = ids(["0", "1"], ["0", "1", "2"], [(0, 1), (1, 2)], "unused-id-0")
    assert (finding.severity, finding.count) == ("note", 1)
    assert finding.sentence.startswith("item '0' is described and has no interaction")
    assert ids(["0", "1"], ["0", "1"], [(0, 0), (1, 1)], "unused-id-0").count == 0
    facts = {"recbole_user_num": 944, "recbole_item_num": 1683}
    finding = ids(["1"], ["1"], [(0, 0)], "unused-id-0", facts=facts)
    assert "RecBole's own tables say 944 users and 1,683 items: one more of each" in finding.sentence


@pytest.mark.parametrize("odd", ["1.5", "1.23457E+15", "1e+15", "-2.0"])
def test_ids_that_were_numbers(odd: str) -> None:
    finding = ids(["a"], [odd, "2"], [(0, 0)], "float-id")
    assert (finding.severity, finding.examples) == ("warning", (f"item {odd!r}",))
    assert ids(["a"], [odd, *map(str, range(500))], [(0, 0)], "float-id").severity == "note"


@pytest.mark.parametrize("fine", ["B000123456", "12e45", "v1.2", "10.1145/3159652", "tt0111161"])
def test_ids_that_only_look_like_numbers(fine: str) -> None:
    assert ids(["a"], [fine], [(0, 0)], "float-id").count == 0


def test_ids_that_differ_in_noughts_or_case() -> None:
    finding = ids(["Ann", "ann", "bob"], ["1", "01", "001", "10"], [(0, 0)], "ids-alike")
    assert (finding.count, finding.severity) == (3, "note")
    assert finding.examples == ("users 'Ann' and 'ann'", "items '1' and '01'")


def test_items_that_the_other_file_does_not_know() -> None:
    facts = {"items_added_from_interactions": 4, "items_without_interactions": 0}
    finding = suspicion("undescribed-items", facts=facts)
    assert (finding.severity, finding.count, finding.of) == ("warning", 4, 5)
    assert finding.sentence.endswith("the ids of the two files do not match.")
    assert (
        suspicion("undescribed-items", facts={**facts, "items_added_from_interactions": 1}).severity == "note"
    )


# --- recognising -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "layout"), [(kind, layout) for kind, layouts in LAYOUTS.items() for layout in layouts]
)
def test_every_layout_is_recognised(tmp_path: Path, kind: str, layout: tuple[str, ...]) -> None:
    for pattern in layout:
        (tmp_path / pattern.replace("*", "x")).write_text("")
    guess = detect(tmp_path)
    assert (guess.kind, guess.options) == (kind, {"path": str(tmp_path)})
    DATASETS.get(kind).model_validate(guess.options)


def test_one_data_set_below_is_found_and_several_are_named(tmp_path: Path) -> None:
    for name, file in (("ml-100k", "u.data"), ("other", "x.inter")):
        (tmp_path / name).mkdir()
        assert (name == "ml-100k") or detect(tmp_path).options == {"path": str(tmp_path / "ml-100k")}
        (tmp_path / name / file).write_text("")
    with pytest.raises(
        UsageError, match=r"several data sets: '.*ml-100k' \(movielens\), '.*other' \(recbole\)"
    ):
        detect(tmp_path)


def test_parts_side_by_side(tmp_path: Path) -> None:
    for part in ("MINDsmall_train", "MINDsmall_dev"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "behaviors.tsv").write_text("")
    assert detect(tmp_path) == ("mind", {"path": str(tmp_path)})


def test_a_file_of_a_known_layout(tmp_path: Path) -> None:
    for name in ("u.data", "reviews_Beauty_5.json.gz", "ml.inter", "Office.index.json"):
        (tmp_path / name).write_text("")
    assert detect(tmp_path / "u.data") == ("movielens", {"path": str(tmp_path)})
    amazon = tmp_path / "reviews_Beauty_5.json.gz"
    assert detect(amazon) == ("amazon", {"path": str(amazon)})
    (tmp_path / "u.data").unlink()
    assert detect(tmp_path / "ml.inter") == ("recbole", {"path": str(tmp_path), "name": "ml"})
    (tmp_path / "ml.inter").unlink()
    assert detect(tmp_path / "Office.index.json").options["category"] == "Office"


HEADERS = [
    ("a.csv", "user,item\n1,2\n", ""),
    ("a.csv", "userId,movieId,rating,timestamp\n1,2,3,4\n", "userId movieId rating timestamp"),
    ("a.tsv", "ts\tUID\tasin\n1\t2\t3\n", "UID asin - ts"),
    ("a.jsonl", '{"customer_id": 1, "product_id": 2, "stars": 3}\n', "customer_id product_id stars"),
]
ROLES = ("user", "item", "rating", "timestamp")


@pytest.mark.parametrize(("name", "text", "columns"), HEADERS)
def test_a_table_of_ones_own(tmp_path: Path, name: str, text: str, columns: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "notes.txt").write_text("x")
    wanted: dict[str, Any] = {"interactions": str(tmp_path / name)}
    if columns:
        named = zip(ROLES, columns.split(), strict=False)
        wanted["columns"] = {role: column for role, column in named if column != "-"}
    assert detect(tmp_path / name) == detect(tmp_path) == ("files", wanted)
    assert len(DATASETS.get("files").model_validate(wanted).load(Path(), 1).interactions) == 1


def test_a_table_in_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"user,item\n1,2\n"))
    assert detect(tmp_path).options == {"interactions": str(tmp_path / "a.csv.gz")}


def test_what_is_not_recognised_gets_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        UsageError, match=r"nearest is '\w+': ratings\.csv is there and \w+\.csv is not"
    ) as caught:
        detect(tmp_path)
    for kind, layouts in LAYOUTS.items():
        assert f"{kind}: {' with '.join(layouts[0])}" in str(caught.value)
    (tmp_path / "ratings.csv").rename(tmp_path / "user_artist.dat")
    with pytest.raises(
        UsageError, match=r"nearest is 'lastfm-2k': 'user_artist\.dat' is nearly user_artists\.dat"
    ):
        detect(tmp_path)
    (tmp_path / "ml-100k.zip").write_text("")
    with pytest.raises(UsageError, match=r"unpack 'ml-100k\.zip' first"):
        detect(tmp_path)
    with pytest.raises(UsageError, match=r"ml-100k\.zip is an archive; unpack it first"):
        detect(tmp_path / "ml-100k.zip")
    with pytest.raises(UsageError, match=r"no columns for user and item, .*--option 'names=\[NAME, NAME\]'"):
        detect(tmp_path / "user_artist.dat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds nothing that is known \(no files\)"):
        detect(tmp_path / "empty")


def test_several_tables_are_not_guessed_between(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("user,item\n1,2\n")
    with pytest.raises(UsageError, match=r"several files with users and items \(test\.csv, train\.csv\)"):
        detect(tmp_path)


# --- real data -------------------------------------------------------------------------------------------


def test_movielens_100k(real_data: Path) -> None:
    guess = detect(real_data / "movielens-100k")
    assert guess.kind == "movielens"
    checked = check(DATASETS.get(guess.kind).model_validate(guess.options).load(Path(), 1), guess.kind)
    counts = checked.sections["counts"]
    assert (counts["users"], counts["items"], counts["interactions"]) == (943, 1682, 100_000)
    assert counts["sparsity"] == pytest.approx(0.93695, abs=1e-5)
    assert checked.sections["users"]["fewest"] == 20
    assert checked.sections["users"]["most"] == 737
    assert checked.sections["items"]["most"] == 583
    assert checked.sections["dates"]["first"].startswith("1997-09-20")
    assert checked.sections["dates"]["last"].startswith("1998-04-22")
    assert checked.ratings is not None
    assert checked.ratings["counts"] == {"1": 6110, "2": 11370, "3": 27145, "4": 34174, "5": 21201}
    assert [finding.name for finding in checked.findings if finding.severity != "ok"] == ["ambiguous-titles"]


@pytest.mark.parametrize("name", ["movielens-latest-small", "amazon18-office"])
def test_no_real_data_set_is_called_broken(real_data: Path, name: str) -> None:
    guess = detect(real_data / name)
    data = DATASETS.get(guess.kind).model_validate(guess.options).load(Path(), 1)
    assert check(data, guess.kind).sound
