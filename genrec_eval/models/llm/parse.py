"""From a completion to the entries of its list, in order; nothing is invented, dropped or repaired.

Forms, in the order in which ``auto`` tries them: a JSON value (alone or in a code block), a numbered
list, JSON inside prose, a bulleted list, bare lines. Numbered and bulleted lists take their outermost
level; what stands around them is not part of the list. Bare lines are a list only if none of them
reads like a sentence, and a single one only if it ends in a year.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from genrec_eval.models.llm.entries import LONGEST, Entry, entry, json_entry
from genrec_eval.models.llm.text import split_year, squeeze

READER = 1
"""Version of the reading rules; part of the provenance of every list."""

MOST_ENTRIES = 1000
"""Entries of one list; a longer one is refused as a whole, never cut in silence."""

Form = Literal["auto", "json", "numbered", "lines"]

_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.S | re.I)
_THOUGHT = re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.S | re.I)
_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.M)
_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```", re.S | re.M)
_NUMBERED = re.compile(
    r"(?P<indent>[ \t]*)(?:[>#•*-]+[ \t]+)?(?P<mark>[*_]{0,3})(?:\(?(?P<n>\d{1,4})\\?[.)]|#\d{1,4}[:.)]?)"
    r"(?P<close>[*_]{0,3})(?!\d)[ \t]*(?P<text>\S.*)"
)
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?:>[ \t]*)?[-*•‣▪●◦+–—][ \t]+(?P<text>\S.*)")
_REFUSAL = re.compile(
    r"\b(?:i\s*(?:['’]m|am)\s+(?:sorry|afraid|unable)|i\s+(?:can(?:not|['’]?t)|won['’]?t|am\s+not\s+able)"
    r"|as\s+an?\s+(?:ai|language\s+model))\b.{0,120}?\b(?:help|assist|provide|recommend|fulfil|fulfill"
    r"|comply|answer|give|share|continue|create|make|offer|suggest|do\s+that)",
    re.S | re.I,
)
_KEYS = ("title", "name", "item_title", "movie", "film", "book", "song", "item", "item_id", "id")
_LISTS = ("recommendations", "items", "movies", "titles", "results", "ranking", "list")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read.

    Attributes
    ----------
    entries
        In the order written; repeated entries and more than were asked for included.
    form
        ``json``, ``numbered``, ``bullets`` or ``lines``; None when nothing was read.
    problem
        Why nothing was read.
    refused
        The text declines to answer.
    oversized
        The list has more than :data:`MOST_ENTRIES` entries.
    """

    entries: tuple[Entry, ...] = ()
    form: str | None = None
    problem: str | None = None
    refused: bool = False
    oversized: bool = False


def parse(text: str, form: Form = "auto", *, truncated: bool = False) -> Parsed:
    """Read the list in a completion.

    Parameters
    ----------
    truncated
        The text was cut off: only complete lines, or complete elements of JSON, are read.

    >>> [e.mention for e in parse("Sure!\\n1. Heat (1995) - a duel\\n2. **Alien**").entries]
    ['Heat (1995)', 'Alien']
    >>> parse("I'm sorry, but I can't help with that.").refused
    True
    """
    answer = _THOUGHT.sub("", _THINK.sub("", text)).replace("\r\n", "\n")
    if not answer.strip():
        return Parsed(problem="empty answer" if not text.strip() else "nothing after the reasoning")
    parsed = _read(answer, form, truncated)
    if not parsed.entries and _REFUSAL.search(answer[:400]):
        return Parsed(refused=True, problem="the model declined")
    return parsed


def _read(text: str, form: Form, truncated: bool) -> Parsed:
    if form in ("auto", "json"):
        found = _json_alone(text, truncated)
        if found is not None:
            return found
    lines = _FENCE.sub("", text).splitlines()
    if truncated and not text.endswith("\n"):
        lines = lines[:-1]
    if form in ("auto", "numbered") and (numbered := _numbered(lines)):
        return _list(numbered, "numbered")
    if form in ("auto", "json"):
        inside = next(filter(None, map(_titles_of, _json_inside(text))), None)
        if inside := inside or (_complete_elements(text) if truncated else None):
            return _list(inside, "json")
    if form in ("auto", "lines"):
        if bullets := _outermost([match for line in lines if (match := _BULLET.fullmatch(line))]):
            return _list([match["text"] for match in bullets], "bullets")
        declines = form == "auto" and _REFUSAL.search(text[:400])
        if not declines and (bare := _bare(lines, strict=form == "auto")):
            return _list(bare, "lines")
    wanted = {"auto": "list", "json": "JSON list", "numbered": "numbered list", "lines": "list"}[form]
    return Parsed(problem=f"no {wanted} found in the text")


def _list(values: list[Any], form: str) -> Parsed:
    if len(values) > MOST_ENTRIES:
        return Parsed(problem=f"{len(values)} entries; a list may have {MOST_ENTRIES}", oversized=True)
    return Parsed(tuple(map(_element if form == "json" else entry, values)), form)


# Lines


def _numbered(lines: list[str]) -> list[str]:
    found = _outermost([match for line in lines if (match := _NUMBERED.fullmatch(line))])
    return _inline(squeeze(_text(found[0]))) if len(found) == 1 else [_text(match) for match in found]


def _text(match: re.Match[str]) -> str:
    # "**1. Title**": the mark that opened before the number closes after the title.
    return match["text"] if match["close"] else match["mark"] + match["text"]


def _inline(text: str) -> list[str]:
    """Split ``Heat (1995) 2. Fargo 3. Alien``: only at 2, 3, ... in sequence, and three at least."""
    starts = [0]
    ends = []
    for number in range(2, 1000):
        match = re.compile(rf"[\s,;]{number}[.)]\s(?=\S)").search(text, starts[-1])
        if match is None:
            break
        ends.append(match.start())
        starts.append(match.end())
    if len(starts) < 3:
        return [text]
    return [text[start:end].rstrip(" ,;") for start, end in zip(starts, [*ends, len(text)], strict=True)]


def _outermost(matches: list[re.Match[str]]) -> list[re.Match[str]]:
    depths = [len(match["indent"].expandtabs(4)) for match in matches]
    deepest = min(depths, default=0) + 1  # one column more is still the same level: right-aligned numbers
    return [match for match, depth in zip(matches, depths, strict=True) if depth <= deepest]


def _bare(lines: list[str], *, strict: bool) -> list[str]:
    kept = [line for line in map(squeeze, lines) if line and not line.rstrip(" *_").endswith(":")]
    if not strict:
        return kept
    while kept and _is_sentence(kept[0]):
        kept.pop(0)
    while kept and _is_sentence(kept[-1]):
        kept.pop()
    if any(_is_sentence(line) or line.startswith(("|", "{", "[{", '["')) for line in kept):
        return []
    return kept if len(kept) > 1 or any(split_year(line[:LONGEST])[1] for line in kept) else []


def _is_sentence(line: str) -> bool:
    words = line.split()
    if split_year(line[:LONGEST])[1] is not None:
        return len(words) > 30
    return len(words) > 12 or (len(words) >= 3 and line.endswith((".", "!")))


# JSON


def _json_alone(text: str, truncated: bool) -> Parsed | None:
    """JSON that is the whole answer or a code block; None when the answer is something else."""
    for body in [*_FENCED.findall(text), _FENCE.sub("", text)]:
        body = body.strip()
        if not re.match(r"\[\s*(?:[\"\[{\]]|-?\d+\s*[,\]])|\{\s*[\"}]", body):
            continue
        value, problem = _load(body)
        if problem is None:
            titles = _titles_of(value, ids=True)
            return _list(titles, "json") if titles else Parsed(problem="the JSON holds no list of titles")
        if truncated:
            titles = _complete_elements(body)
            return _list(titles, "json") if titles else Parsed(problem="cut off before the first title's end")
        if re.match(r"\[\s*[\"\[{]|\{\s*\"", body):
            return Parsed(problem=f"the JSON is broken: {problem}")
    return None


def _load(text: str) -> tuple[Any, str | None]:
    try:
        return json.loads(text), None
    except RecursionError:
        return None, "nested too deeply"
    except ValueError as error:
        return None, squeeze(str(error))


def _json_inside(text: str) -> list[Any]:
    decoder = json.JSONDecoder()
    found = []
    at = 0
    for _ in range(50):  # tries, not finds: "[[[[[..." must not cost a square
        match = re.compile(r"\[\s*[\"{]|\{\s*\"").search(text, at)
        if match is None:
            break
        try:
            value, at = decoder.raw_decode(text, match.start())
            found.append(value)
        except (ValueError, RecursionError):
            at = match.start() + 1
    return found


def _complete_elements(text: str) -> list[Any]:
    """Elements of a list that was cut off, up to the last one that is closed."""
    start = re.search(r"\[\s*(?=[\"{])", text)
    if start is None:
        return []
    decoder = json.JSONDecoder()
    values: list[Any] = []
    at = start.end()
    while True:
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return values
        values.append(value)
        comma = re.compile(r"\s*,\s*").match(text, at)
        if comma is None:
            return values
        at = comma.end()


def _titles_of(value: Any, *, ids: bool = False) -> list[Any]:
    """The list that a JSON value is or holds; empty when there is none."""
    kinds = (str, dict, int) if ids else (str, dict)
    if isinstance(value, dict):
        if value and all(key.isdecimal() for key in value):
            return list(value.values())
        lists = {key: found for key, found in value.items() if _is_list(found, kinds)}
        if lists:
            return lists[next((key for key in _LISTS if key in lists), next(iter(lists)))]
        return [value] if any(key in value for key in _KEYS) else []
    return value if _is_list(value, kinds) else []


def _is_list(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether one element at least can be a title; the others stay as they are and count as invalid."""
    return isinstance(value, list) and any(isinstance(e, kinds) and not isinstance(e, bool) for e in value)


def _element(value: Any) -> Entry:
    if isinstance(value, str) and value.strip():
        return json_entry(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return json_entry(_dump(value))
    if isinstance(value, dict):
        title = next((value[key] for key in _KEYS if isinstance(value.get(key), str | int)), None)
        if title is not None and str(title).strip():
            title, year = str(title), value.get("year")
            if split_year(title)[1] is None and re.fullmatch(r"\d{4}", str(year)):
                title = f"{title} ({year})"
            return json_entry(title)
    # Not a title: kept as it was written, so that it counts as an invalid entry.
    return json_entry(_dump(value))


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "?"
