"""A brief as text that a person and a language model can read, and the way back.

One fact a line, under headings. A value stands as it is where it is harmless, else in quotes with escapes, as
in JSON: no title, name or review can begin a line, end a list or close the brief. Reading is exact:
``read(write(brief)) == brief``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem

BEGIN, END = "===== BRIEF =====", "===== END OF BRIEF ====="

ORDERS: Mapping[str, tuple[str, ...]] = {
    "explain": (
        "Write 2 to 3 sentences to the user that say why the item of the brief below may suit them, and say"
        " plainly what speaks against it. Use only facts that the brief holds; do not mention the user's"
        " personal attributes. Answer with the text alone.",
        "Tell the user in 2 to 3 sentences what makes the item of the following brief a fit for them, without"
        " hiding what speaks against it. Say nothing that the brief does not say, and leave personal"
        " attributes out. Give only the text.",
        "In 2 to 3 sentences, explain to the user why this item, described below, was chosen for them; where"
        " something speaks against it, say so. Rely on the brief alone, never on who the user is. Reply with"
        " the text and nothing else.",
    ),
    "summarise": (
        "Write 2 to 4 sentences that sum up what the reviews of the brief below say about the item: what most"
        " of them find, and what a minority finds. Use only the reviews; name no private person. Answer with"
        " the text alone.",
        "Sum up the reviews of the following brief in 2 to 4 sentences: the view of the majority, and that of"
        " the minority. Add nothing that no review says, and leave out the names of reviewers. Give only the"
        " text.",
        "In 2 to 4 sentences, say what the reviewers below think of the item, those who are outnumbered"
        " included. Rely on their reviews alone and keep their names to yourself. Reply with the text and"
        " nothing else.",
    ),
}
"""The task in words, in several wordings of one meaning."""

_HEADINGS = {"item": "THE ITEM", "user": "THE USER", "seen": "HISTORY, OLDEST FIRST", "review": "REVIEWS"}
# no quote or brace that a reader could take for one, nothing that separates values
_PLAIN = re.compile(r"(?![\s\"'=])[^\"\\<>{};|`]*(?<![\s])\Z")
_SPECIAL = re.compile(r"(?P<odd>[^ -~])")


def write(brief: Brief, wording: int | None = 0) -> str:
    """The task in words and every fact of ``brief``.

    Parameters
    ----------
    wording
        Which of the wordings of the task; the facts stay the same. None leaves the task to others.

    >>> item = ItemFacts(id="i1", title="Heat", year=1995, people={"director": ("Ana Brandt",)})
    >>> print(write(Brief(task="explain", item=item, user="u1")).partition("\\n\\n")[2])
    ===== BRIEF =====
    task: explain
    <BLANKLINE>
    THE ITEM
    id: i1
    title: Heat
    year: 1995
    people, director: Ana Brandt
    <BLANKLINE>
    THE USER
    id: u1
    ===== END OF BRIEF =====
    """
    orders = ORDERS[brief.task]
    lines = [] if wording is None else [orders[wording % len(orders)], ""]
    lines += [BEGIN, f"task: {brief.task}"]
    if brief.aspects:
        lines.append(_listed("aspects", brief.aspects))
    lines += ["", _HEADINGS["item"], *_item_lines(brief.item)]
    if brief.user or brief.profile:
        lines += ["", _HEADINGS["user"], f"id: {_shown(brief.user)}"]
        lines += [f"{_keyed('profile', name)}: {_shown(value)}" for name, value in brief.profile.items()]
    if brief.history:
        lines += ["", _HEADINGS["seen"]]
        for place, seen in enumerate(brief.history, 1):
            lines += [f"seen {place}:", *_item_lines(seen.item)]
            lines += _optional(rating=_number(seen.rating))
            lines += [
                _listed(name, found) for name in ("liked", "disliked") if (found := getattr(seen, name))
            ]
    if brief.reviews:
        lines += ["", _HEADINGS["review"]]
        for place, review in enumerate(brief.reviews, 1):
            lines += [f"review {place}:", f"id: {_shown(review.id)}"]
            lines += _optional(author=_text(review.author), rating=_number(review.rating))
            lines += [
                _listed(name, found)
                for name, found in (("praises", review.positive), ("criticises", review.negative))
                if found
            ]
            lines.append(f"text: {_shown(review.text)}")
    return "\n".join([*lines, END])


def read(text: str) -> Brief:
    """The brief that ``text`` shows; the last one where there are several.

    Raises
    ------
    UsageError
        When there is none, or what stands in its place is not one.
    """
    lines = [line.strip() for line in text.split("\n")]
    if BEGIN not in lines:
        raise UsageError(f"the message holds no brief: no line '{BEGIN}'")
    start = len(lines) - lines[::-1].index(BEGIN)
    if END not in lines[start:]:
        raise UsageError(f"the brief in the message has no end: no line '{END}'")
    try:
        return _assembled(_parts(lines[start : lines.index(END, start)]))
    except (ValueError, LookupError, RecursionError) as error:
        lacking = "it lacks " if isinstance(error, KeyError) else ""
        raise UsageError(f"the brief in the message cannot be read: {lacking}{error}") from None


def _item_lines(item: ItemFacts) -> list[str]:
    lines = [f"id: {_shown(item.id)}", f"title: {_shown(item.title)}", *_optional(year=_number(item.year))]
    if item.genres:
        lines.append(_listed("genres", item.genres))
    lines += [_listed(_keyed("people", role), names) for role, names in item.people.items()]
    lines += _optional(
        price=_number(item.price),
        runtime=None if item.runtime is None else f"{item.runtime} minutes",
        provider=_text(item.provider),
        description=_text(item.description),
    )
    return [*lines, _listed("aliases", item.aliases)] if item.aliases else lines


def _optional(**values: str | None) -> list[str]:
    return [f"{name}: {value}" for name, value in values.items() if value is not None]


def _text(value: str | None) -> str | None:
    return None if value is None else _shown(value)


def _number(value: float | None) -> str | None:
    """Exact, and a whole number without its point."""
    return None if value is None else str(int(value)) if value == int(value) < 1e15 else repr(float(value))


def _shown(value: str) -> str:
    if value and value.isprintable() and _PLAIN.match(value):
        return value
    written = json.dumps(value, ensure_ascii=False)
    return _SPECIAL.sub(lambda odd: odd[0] if odd[0].isprintable() else json.dumps(odd[0])[1:-1], written)


def _keyed(kind: str, name: str) -> str:
    return f"{kind}, {name if name.replace(' ', '').isalnum() and name == name.strip() else _quoted(name)}"


def _quoted(value: str) -> str:
    return json.dumps(value)  # keys are seldom strange: plain ASCII will do


def _listed(name: str, values: Iterable[str]) -> str:
    return f"{name}: {'; '.join(map(_shown, values))}"


def _parts(lines: list[str]) -> dict[str, list[list[tuple[str, str]]]]:
    """Section → its entries, each a list of (key, value)."""
    names = {heading: name for name, heading in _HEADINGS.items()}
    section = "head"
    parts: dict[str, list[list[tuple[str, str]]]] = {"head": [[]], "seen": [], "review": []}
    for line in filter(None, lines):
        if line in names:
            section = names[line]
            parts.setdefault(section, [[]])
            continue
        key, value = _split(line)
        if not value and re.fullmatch(rf"{section} \d+", key):
            parts[section].append([])
        else:
            parts[section][-1].append((key, value))
    return parts


def _split(line: str) -> tuple[str, str]:
    kind, comma, rest = line.partition(", ")
    if comma and kind in ("people", "profile") and rest.startswith('"'):
        name, end = json.JSONDecoder().raw_decode(rest)
        if not rest[end:].startswith(":"):
            raise ValueError(f"no fact: {line[:80]!r}")
        return f"{kind}, {name}", rest[end + 1 :].strip()
    key, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"no fact: {line[:80]!r}")
    return key, value.strip()


def _values(written: str) -> Iterator[str]:
    at = 0
    while at < len(written):
        if written[at] == '"':
            value, at = json.JSONDecoder().raw_decode(written, at)
        else:
            end = written.find(";", at)
            end = len(written) if end < 0 else end
            value, at = written[at:end].strip(), end
        yield value
        if at < len(written) and written[at] != ";":
            raise ValueError(f"no list: {written[:80]!r}")
        at += 2


def _one(written: str) -> str:
    return str(json.loads(written)) if written.startswith('"') else written


def _assembled(parts: Mapping[str, list[list[tuple[str, str]]]]) -> Brief:
    head, user = dict(parts["head"][0]), dict(parts.get("user", [[]])[0])
    task = head["task"]
    if task not in ("explain", "summarise"):
        raise ValueError(f"no such task: {task[:80]!r}")
    return Brief(
        task=task,  # type: ignore[arg-type]
        item=_item(parts["item"][0]),
        user=_one(user.get("id", "")),
        history=tuple(_seen(entry) for entry in parts["seen"]),
        reviews=tuple(_review(entry) for entry in parts["review"]),
        profile=_under("profile", parts.get("user", [[]])[0], _one),
        aspects=tuple(_values(head.get("aspects", ""))),
    )


def _under(kind: str, entry: list[tuple[str, str]], reader: Any) -> dict[str, Any]:
    return {key[len(kind) + 2 :]: reader(value) for key, value in entry if key.startswith(f"{kind}, ")}


def _item(entry: list[tuple[str, str]]) -> ItemFacts:
    facts = dict(entry)
    return ItemFacts(
        id=_one(facts["id"]),
        title=_one(facts["title"]),
        year=int(facts["year"]) if "year" in facts else None,
        genres=tuple(_values(facts.get("genres", ""))),
        people=_under("people", entry, lambda names: tuple(_values(names))),
        price=float(facts["price"]) if "price" in facts else None,
        runtime=int(facts["runtime"].removesuffix(" minutes")) if "runtime" in facts else None,
        provider=_one(facts["provider"]) if "provider" in facts else None,
        description=_one(facts["description"]) if "description" in facts else None,
        aliases=tuple(_values(facts.get("aliases", ""))),
    )


def _seen(entry: list[tuple[str, str]]) -> SeenItem:
    facts = dict(entry)
    return SeenItem(
        item=_item(entry),
        rating=float(facts["rating"]) if "rating" in facts else None,
        liked=tuple(_values(facts.get("liked", ""))),
        disliked=tuple(_values(facts.get("disliked", ""))),
    )


def _review(entry: list[tuple[str, str]]) -> ReviewFacts:
    facts = dict(entry)
    return ReviewFacts(
        id=_one(facts["id"]),
        text=_one(facts["text"]),
        rating=float(facts["rating"]) if "rating" in facts else None,
        author=_one(facts["author"]) if "author" in facts else None,
        positive=tuple(_values(facts.get("praises", ""))),
        negative=tuple(_values(facts.get("criticises", ""))),
    )
