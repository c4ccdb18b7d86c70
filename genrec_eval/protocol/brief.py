"""A brief: the facts that a writer is handed, and against which its text is checked.

One form for all: prompts show it (:meth:`Brief.text`), reference writers read it back
(:meth:`Brief.read`), case tables keep it (:meth:`Brief.to_json`), metrics check texts against it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

BriefTask = Literal["explain", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """What the catalogue says of one item; empty where it says nothing."""

    id: str
    title: str
    """Without its year."""
    year: int | None = None
    genres: tuple[str, ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role → names, as in ``{"director": ("Ana Brandt",)}``."""
    price: float | None = None
    runtime: int | None = None
    """Minutes."""
    provider: str | None = None
    description: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """An item of the user's history, with the user's rating where there is one."""

    item: ItemFacts
    rating: float | None = None
    liked: tuple[str, ...] = ()
    """Aspects that the user praised."""
    disliked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """A review of the item by somebody."""

    id: str
    text: str
    rating: float | None = None
    author: str | None = None
    """Name as written; a summary must not repeat it."""
    positive: tuple[str, ...] = ()
    """Aspects that it praises."""
    negative: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What to write, and from what.

    Attributes
    ----------
    task
        ``"explain"``: why this item for this user; ``"summarise"``: what the reviews of the item say.
    user
        User id; empty for a summary.
    history
        Oldest first.
    profile
        Attributes that the scenario discloses (``gender``, ``age``, ...); a text has no business with them.
    aspects
        Words that users and reviews judge items by (``acting``, ``pacing``, ...).
    """

    task: BriefTask
    item: ItemFacts
    user: str = ""
    history: tuple[SeenItem, ...] = ()
    reviews: tuple[ReviewFacts, ...] = ()
    profile: Mapping[str, str] = field(default_factory=dict)
    aspects: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Strict JSON, keys in order: equal briefs give equal text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, allow_nan=False)

    def text(self, wording: int | None = 0) -> str:
        """The task in words and every fact, one a line; the facts alone where ``wording`` is None.

        See :func:`genrec_eval.protocol.brief_text.write`.
        """
        from genrec_eval.protocol.brief_text import write

        return write(self, wording)

    @classmethod
    def read(cls, text: str) -> Brief:
        """The brief that a message shows, whatever stands around it: ``Brief.read(brief.text()) == brief``.

        Raises
        ------
        UsageError
            When the message holds none, or it cannot be read.
        """
        from genrec_eval.protocol.brief_text import read

        return read(text)

    @classmethod
    def from_json(cls, text: str) -> Brief:
        """Read what :meth:`to_json` wrote.

        >>> brief = Brief(task="explain", item=ItemFacts(id="i1", title="Heat", year=1995), user="u1")
        >>> Brief.from_json(brief.to_json()) == brief
        True
        """
        raw = json.loads(text)
        return cls(
            task=raw["task"],
            user=raw["user"],
            item=_item(raw["item"]),
            history=tuple(
                SeenItem(
                    item=_item(seen["item"]),
                    rating=seen["rating"],
                    liked=tuple(seen["liked"]),
                    disliked=tuple(seen["disliked"]),
                )
                for seen in raw["history"]
            ),
            reviews=tuple(
                ReviewFacts(**{**one, "positive": tuple(one["positive"]), "negative": tuple(one["negative"])})
                for one in raw["reviews"]
            ),
            profile=raw["profile"],
            aspects=tuple(raw["aspects"]),
        )


def _item(raw: Mapping[str, Any]) -> ItemFacts:
    lists = {name: tuple(raw[name]) for name in ("genres", "aliases")}
    people = {role: tuple(names) for role, names in raw["people"].items()}
    return ItemFacts(**{**raw, **lists, "people": people})
