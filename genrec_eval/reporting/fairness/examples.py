"""Real users to show beside counts: who, under which value, and both lists.

Users are chosen by their stored scores, the clearest first and ties by the run's seed; of the tables of cases
and records only the rows of these users become Python objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.reporting.results import mapping, read_json
from genrec_eval.reporting.text import line

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

LISTED = 10
"""Items of a list before it folds."""
_ROWS = 1 << 16
_WHOSE = {"counterfactual": "not the user's own"}
"""What an arm says of the value; ``sensitive`` is also said where nobody knows."""

_Asked = tuple[str, str, "str | None", str]
"""User, attribute, value and arm of a case."""
Pick = tuple[str, str, str, str]
"""Model, attribute, outcome, user."""


@dataclass(frozen=True, slots=True)
class Item:
    """One place of a list.

    Attributes
    ----------
    there
        Its place in the other list; 0 where it is not in it.
    wanted
        Whether it is a held-out relevant item.
    """

    ident: str
    title: str
    there: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A list as it is shown: the first items, and those that fold."""

    name: str
    head: Sequence[Item]
    tail: Sequence[Item]
    hits: int


@dataclass(frozen=True, slots=True)
class Example:
    """One user asked neutrally and under a value."""

    user: str
    value: str
    whose: str
    neutral: Side
    told: Side
    wanted: int
    shared: int


@dataclass(frozen=True, slots=True)
class _Answer:
    value: str | None
    arm: str
    repeat: int
    items: list[str | None]


def clearest(
    scores: Mapping[str, tuple[pa.Array, np.ndarray, np.ndarray]],
    outcome: str,
    most: int,
    seed: int,
    purpose: str,
    without: frozenset[str] = frozenset(),
) -> list[str]:
    """Users with the most of an outcome and the least of the others, ties drawn by the seed.

    Parameters
    ----------
    scores
        Outcome → users, their share of lists with that outcome, and whether they were scored.
    without
        Users who are not to be shown.
    """
    import numpy as np

    users, shares, scored = scores[outcome]
    others = np.zeros(len(shares))
    for name, (_, other, _) in scores.items():
        if name not in (outcome, "stable"):
            others += other
    some = np.flatnonzero(scored & (shares > 0))
    drawn = generator(seed, "fairness examples", purpose).permutation(len(shares))[some]
    # of the unjustified, one who is not also served better or worse: the change is then all there is to see
    first, second = (others, -shares) if outcome == "unjustified" else (-shares, others)
    order = np.lexsort((drawn, second[some], first[some]))
    ranked = (str(users[int(some[at])]) for at in order)
    return list(islice((user for user in ranked if user not in without), most))


def redacted(directory: Path, scenario: str) -> frozenset[str]:
    """Users one of whose cases was redacted: whoever asked for that is no example."""
    path = directory / "evidence.json"
    if not path.is_file():
        return frozenset()
    held = mapping(read_json(path)).get("redactions")
    rows = [mapping(one) for one in held] if isinstance(held, list) else []
    theirs = [one.get("cases") for one in rows if one.get("scenario") in (None, scenario)]
    cases = [str(case) for some in theirs if isinstance(some, list) for case in some]
    return frozenset(case.rpartition("#")[0] for case in cases)


def examples(
    directory: Path, scenario: str, picks: Sequence[Pick], k: int
) -> tuple[dict[Pick, Example], dict[str, int]]:
    """The picked users' lists side by side; what of them was not kept is left out, and counted by reason."""
    cases = directory / "cases" / f"{scenario}.parquet"
    if not picks or not cases.is_file():
        return {}, {"cases are not kept": len(picks)} if picks else {}
    asked, truth = _asked(cases, {user for *_, user in picks}, {attribute for _, attribute, _, _ in picks})
    answers = _answers(directory, scenario, {model for model, *_ in picks}, asked)
    chosen: dict[Pick, tuple[_Answer, _Answer]] = {}
    left: dict[str, int] = {}
    for pick in picks:
        model, attribute, outcome, user = pick
        neutral = answers.get((model, user, ""), [])
        told = answers.get((model, user, attribute), [])
        pair = _pair(neutral, told, truth.get(user, frozenset()), outcome, k)
        if pair is None:
            left["no lists kept"] = left.get("no lists kept", 0) + 1
        else:
            chosen[pick] = pair
    shown = {item for pair in chosen.values() for side in pair for item in side.items[:k] if item is not None}
    titles = _titles(directory / "cases" / f"{scenario}@items.parquet", shown)
    found = {}
    for pick, (neutral_one, told_one) in chosen.items():
        _, attribute, _, user = pick
        wanted = truth.get(user, frozenset())
        value = str(told_one.value)
        sides = [
            _side(name, one.items[:k], other.items[:k], wanted, titles)
            for name, one, other in (
                (f"neutral, repeat {neutral_one.repeat + 1}", neutral_one, told_one),
                (f"{attribute} {value}, repeat {told_one.repeat + 1}", told_one, neutral_one),
            )
        ]
        shared = len({i for i in neutral_one.items[:k] if i is not None} & set(told_one.items[:k]))
        found[pick] = Example(
            user, value, _WHOSE.get(told_one.arm, ""), sides[0], sides[1], len(wanted), shared
        )
    return found, left


def _pair(
    neutral: Sequence[_Answer], told: Sequence[_Answer], wanted: frozenset[str], outcome: str, k: int
) -> tuple[_Answer, _Answer] | None:
    """The pair that shows an outcome best, of those that the metric compares."""
    once = len({one.repeat for one in [*neutral, *told]}) < 2
    pairs = [(a, b) for a in neutral for b in told if once or a.repeat != b.repeat]
    if not pairs:
        return None

    def rank(pair: tuple[_Answer, _Answer]) -> tuple[float, float, str, int, int]:
        before, after = ({item for item in one.items[:k] if item is not None} for one in pair)
        gain = len(after & wanted) - len(before & wanted)
        alike = len(before & after) / max(1, len(before | after))
        first = {"harmful": gain, "beneficial": -gain}.get(outcome, abs(gain))
        return first, alike, str(pair[1].value), pair[0].repeat, pair[1].repeat

    return min(pairs, key=rank)


def _side(
    name: str,
    items: Sequence[str | None],
    other: Sequence[str | None],
    wanted: frozenset[str],
    titles: Mapping[str, str],
) -> Side:
    there: dict[str | None, int] = {}
    for place, item in enumerate(other, 1):
        there.setdefault(item, place)
    made = [
        Item(
            line(item, 120) if item is not None else "no item",
            line(titles.get(item or "", ""), 120),
            there.get(item, 0) if item is not None else 0,
            item in wanted,
        )
        for item in items
    ]
    return Side(line(name, 120), made[:LISTED], made[LISTED:], len({i for i in items if i in wanted}))


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(_ROWS, columns=names):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None


def _asked(
    path: Path, users: set[str], attributes: set[str]
) -> tuple[dict[str, _Asked], dict[str, frozenset[str]]]:
    """Case → what was asked plainly; held-out items of the users."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(users), pa.string())
    columns = ["case", "unit", "arm", "attribute", "value", "wording", "truth"]
    asked: dict[str, _Asked] = {}
    codes: dict[str, list[int]] = {}
    for table in _batches(path, columns):
        some = table.filter(pc.is_in(table.column("unit").cast(pa.string()), value_set=wanted))
        for row in some.to_pylist():
            user, attribute = str(row["unit"]), row.get("attribute") or ""
            plainly = row["arm"] in ("neutral", "sensitive", "counterfactual") and row.get("wording") is None
            if plainly and (not attribute or attribute in attributes):
                asked[str(row["case"])] = user, attribute, row.get("value"), row["arm"]
            codes.setdefault(user, list(row.get("truth") or ()))
    truth = _spelt(path.with_name(f"{path.stem}@items.parquet"), codes)
    return asked, truth


def _spelt(path: Path, codes: Mapping[str, list[int]]) -> dict[str, frozenset[str]]:
    """Ids of the held-out items, of codes that point into the catalogue."""
    if not path.is_file():
        return {}
    wanted = {code for some in codes.values() for code in some}
    names: dict[int, str] = {}
    start = 0
    for table in _batches(path, ["item"]):
        column = table.column("item")
        names |= {code: str(column[code - start]) for code in wanted if 0 <= code - start < len(table)}
        start += len(table)
    return {user: frozenset(names[code] for code in some if code in names) for user, some in codes.items()}


def _answers(
    directory: Path, scenario: str, models: set[str], asked: Mapping[str, _Asked]
) -> dict[tuple[str, str, str], list[_Answer]]:
    """(Model, user, attribute) → the lists given, neutral ones under the attribute ``""``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.reporting.instances.records import record_files, severity

    wanted = pa.array(sorted(asked), pa.string())
    found: dict[tuple[str, str, str], list[_Answer]] = {}
    for path in record_files(directory):
        if not _holds(path, scenario, models):
            continue
        for table in _batches(path, ["model", "scenario", "case", "repeat", "status", "items"]):
            mask = pc.and_(
                pc.is_in(table.column("case").cast(pa.string()), value_set=wanted),
                pc.equal(table.column("scenario").cast(pa.string()), scenario),
            )
            for row in table.filter(mask).to_pylist():
                if row["model"] in models and row.get("items") and severity(str(row["status"])) < 2:
                    user, attribute, value, arm = asked[row["case"]]
                    items = [None if item is None else str(item) for item in row["items"]]
                    found.setdefault((row["model"], user, attribute), []).append(
                        _Answer(value, arm, int(row.get("repeat") or 0), items)
                    )
    return found


def _holds(path: Path, scenario: str, models: set[str]) -> bool:
    """Whether a file has records of these models."""
    for table in _batches(path, ["model", "scenario"]):
        pairs: Any = table.group_by(["model", "scenario"]).aggregate([]).to_pylist()
        if any(row["scenario"] == scenario and row["model"] in models for row in pairs):
            return True
    return False


def _titles(path: Path, items: set[str]) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, str] = {}
    if not path.is_file() or not items:
        return found
    wanted = pa.array(sorted(items), pa.string())
    for table in _batches(path, ["item", "title"]):
        if "title" not in table.column_names:
            return found
        some = table.filter(pc.is_in(table.column("item").cast(pa.string()), value_set=wanted))
        for row in some.to_pylist():
            if row["title"]:
                found[str(row["item"])] = str(row["title"])
    return found
