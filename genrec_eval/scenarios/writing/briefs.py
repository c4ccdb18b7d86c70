"""Briefs from a data set: what the catalogue says of an item, what a user had and thought of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec_eval.data.tables.titles import natural, split_year
from genrec_eval.protocol.arrays import Int32, Int64
from genrec_eval.protocol.brief import ItemFacts, ReviewFacts, SeenItem

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Training

ROLES = ("director", "writer", "actor", "cast", "author", "artist", "composer", "creator")
"""Columns of an item table that name people; a column ``people`` of role and names is read too."""
RUNTIMES = ("runtime", "minutes", "duration")


def item_facts(table: pa.Table) -> list[ItemFacts]:
    """What an item table says of each item, in its order."""
    names = table.column_names

    def column(*wanted: str) -> list[Any]:
        found = next((name for name in wanted if name in names), None)
        return [None] * len(table) if found is None else table.column(found).to_pylist()

    people = (
        [{} for _ in range(len(table))] if "people" not in names else list(map(_people, column("people")))
    )
    for role in ROLES:
        if role in names:
            for known, value in zip(people, column(role), strict=True):
                if value:
                    known[role] = _words(value)
    rows = zip(
        column("item"),
        column("title"),
        column("year"),
        column("genres"),
        people,
        column("price"),
        column(*RUNTIMES),
        column("provider"),
        column("description"),
        column("aliases"),
        strict=True,
    )
    return [_facts(*row) for row in rows]


def _facts(
    item: str,
    title: str | None,
    year: Any,
    genres: Any,
    people: Mapping[str, tuple[str, ...]],
    price: Any,
    runtime: Any,
    provider: Any,
    description: Any,
    aliases: Any,
) -> ItemFacts:
    name, written = split_year(title or str(item))
    others = [split_year(alias)[0] for alias in _words(aliases)]
    if (turned := natural(name)) != name:  # people write "The Matrix", catalogues "Matrix, The"
        others, name = [name, *others], turned
    number = _number(year)
    return ItemFacts(
        id=str(item),
        title=name or str(item),
        year=written if number is None else int(number),
        genres=_words(genres),
        people=dict(people),
        price=_number(price),
        runtime=None if (minutes := _number(runtime)) is None else round(minutes),
        provider=str(provider) if provider else None,
        description=str(description) if description else None,
        aliases=tuple(dict.fromkeys(other for other in others if other and other != name)),
    )


def _people(value: Any) -> dict[str, tuple[str, ...]]:
    """Roles and names, from a struct of lists, a map or a list of structs with ``role`` and ``name``."""
    found: dict[str, tuple[str, ...]] = {}
    pairs = value.items() if isinstance(value, Mapping) else (value or ())
    for pair in pairs:
        if isinstance(pair, Mapping):
            pair = (pair.get("role"), pair.get("names", pair.get("name")))
        role, names = pair
        if role and names:
            found[str(role)] = (*found.get(str(role), ()), *_words(names))
    return found


def _words(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(word) for word in value if word)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Reviews:
    """Reviews by user and item; none where there is no table.

    Attributes
    ----------
    rows
        (user id, item id) → row of each column.
    columns
        Name → values.
    vocabulary
        Features and aspects that reviews name, in alphabetical order.
    by_item
        Item id → rows.
    """

    rows: Mapping[tuple[str, str], int] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()
    by_item: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pa.Table | None) -> Reviews:
        """Read a table of reviews where there is one."""
        if table is None or not len(table):
            return cls()
        columns = {name: table.column(name).to_pylist() for name in table.column_names}
        users, items = columns["user"], columns["item"]
        rows = {(str(users[row]), str(items[row])): row for row in range(len(table) - 1, -1, -1)}
        by_item: dict[str, list[int]] = {}
        for row, item in enumerate(items):
            by_item.setdefault(str(item), []).append(row)
        words = {word for word in columns.get("feature", ()) if word}
        for name in ("positive", "negative"):
            for aspects in columns.get(name, ()):
                words.update(_words(aspects))
        return cls(rows, columns, tuple(sorted(map(str, words))), by_item)

    def get(self, row: int, name: str) -> Any:
        """One cell; None where there is no such column."""
        column = self.columns.get(name)
        return None if column is None else column[row]

    def facts(self, row: int) -> ReviewFacts:
        """One review as a brief shows it."""
        return ReviewFacts(
            id=str(self.get(row, "review") or row),
            text=str(self.get(row, "text") or ""),
            rating=_number(self.get(row, "rating")),
            author=self.get(row, "author"),
            positive=_words(self.get(row, "positive")),
            negative=_words(self.get(row, "negative")),
        )

    def aspects(self, user: str, item: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the user praised and blamed in the item."""
        row = self.rows.get((user, item))
        if row is None:
            return (), ()
        return _words(self.get(row, "positive")), _words(self.get(row, "negative"))


class Ratings:
    """Ratings of the training by user and item.

    Parameters
    ----------
    users
        Codes of the users that will be asked about; others are not kept.
    """

    def __init__(self, training: Training, users: Int32) -> None:
        log, self.width = training.interactions, max(len(training.items), 1)
        wanted = np.zeros(len(training.users), bool)
        wanted[users] = True
        kept = wanted[log.user]
        keys: Int64 = log.user[kept].astype(np.int64) * self.width + log.item[kept]
        values = [None] * len(keys) if log.rating is None else log.rating[kept].astype(float).tolist()
        self._known = dict(zip(keys.tolist(), values, strict=True))

    def get(self, user: int, item: int) -> float | None:
        """The rating; None where the training holds none."""
        return self._known.get(user * self.width + item)


def seen(
    user: tuple[int, str],
    items: Iterable[int],
    facts: Sequence[ItemFacts],
    ratings: Ratings,
    reviews: Reviews,
) -> tuple[SeenItem, ...]:
    """The items that a user has had, with what the training knows that the user thought of them.

    Parameters
    ----------
    user
        Code and id.
    reviews
        Those of the training.
    """
    code, name = user
    found = []
    for item in items:
        liked, disliked = reviews.aspects(name, facts[item].id)
        found.append(
            SeenItem(item=facts[item], rating=ratings.get(code, item), liked=liked, disliked=disliked)
        )
    return tuple(found)
