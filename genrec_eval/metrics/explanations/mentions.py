"""What is read in a text before it is held against a brief."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from genrec_eval.metrics.explanations.tokens import Tokens

MentionKind = Literal["title", "person", "year", "genre", "price", "runtime", "rating", "number", "aspect"]
Stance = Literal["liked", "neutral", "disliked"]
"""What the text says that the user did with something: liked it, had it, disliked it."""


@dataclass(slots=True, kw_only=True)
class Mention:
    """Something named in a text.

    Attributes
    ----------
    start, end
        Characters of the text.
    text
        As written.
    value
        In canonical form: a genre or aspect as the catalogue writes it, a name in normal form.
    items
        Titles: ids of the items of that name; none for a title that no item has.
    number
        Years, prices, minutes, stars, other numbers.
    year
        Titles: the year written behind.
    stance
        What the text says that the user did with it; None where it says nothing of that.
    close
        Whether the words that say so stand right beside it.
    role
        People: what they are said to have done.
    negated
        Whether the text denies it.
    bound
        Comparisons: ``"<"``, ``">"`` or ``"~"``.
    scale
        Ratings: out of how many.
    sentence
        Number of the sentence.
    predicated
        Genres: whether something is said to be of it ("is a comedy"), and not to have it. People:
        whether the text says so of the recommended item ("who directed this one").
    bare
        Years and numbers that stand by themselves, without words that say what they count.
    weak
        Titles: whether it may be a common word; it counts only where the brief holds such an item.
    """

    kind: MentionKind
    start: int
    end: int
    text: str
    value: str = ""
    items: tuple[str, ...] = ()
    number: float | None = None
    year: int | None = None
    year_at: tuple[int, int] | None = None
    stance: Stance | None = None
    close: bool = False
    role: str | None = None
    negated: bool = False
    bound: str | None = None
    scale: float | None = None
    sentence: int = 0
    predicated: bool = False
    bare: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text and what is named in it.

    Attributes
    ----------
    mentions
        In the order of the text.
    sentences
        Where each sentence starts.
    addressed
        Sentences that speak of the reader's tastes or past.
    resets
        Places after which the text speaks of the recommended item again (``this film``, ``it``).
    """

    text: str
    tokens: Tokens
    mentions: list[Mention]
    sentences: list[int]
    addressed: frozenset[int] = frozenset()
    resets: list[int] = field(default_factory=list)
