"""From what came back to rows of judgements: every id known, every answer allowed, pairs turned back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.tables.streams import clip
from genrec_eval.judging.annotation.key import Key, Keyed, KeySheet
from genrec_eval.judging.annotation.read import Said
from genrec_eval.judging.annotation.sheets import ANSWER, SIDES, VERDICTS, plain, sheet_of, shown_digest
from genrec_eval.judging.annotation.write import answers_allowed
from genrec_eval.judging.rows import IDENTICAL
from genrec_eval.judging.types import JudgementStatus

PREFIX = "human:"
"""A person as a judge: ``human:ana``."""
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What was read, checked.

    Attributes
    ----------
    rows
        Of the schema JUDGEMENTS, but for what is null; ``key`` holds the opaque id.
    answered, blank
        Annotator → how many; blank ones are left out.
    repeated
        Answers that came more than once and are the same.
    """

    rows: Sequence[dict[str, Any]]
    answered: Mapping[str, int]
    blank: Mapping[str, int]
    repeated: int


def accept(said: Iterable[Said], key: Key) -> Accepted:
    """Check all answers; nothing is accepted where one is at fault.

    Raises
    ------
    UsageError
        For ids that the run's key does not know, answers that are not allowed, texts that are not those of
        their id, and one item with two answers of one person; the first is named with its place, the others
        of its kind are counted.
    """
    sheets = {id_: key.sheet(id_) for id_ in key.ids}
    taken: dict[tuple[str, int | None], tuple[dict[str, Any], str]] = {}
    blank: Counter[str] = Counter()
    repeated = 0
    faults: dict[str, list[str]] = {}
    returned: dict[str, dict[str, None]] = {}
    for one in said:
        found = _found(one, sheets)
        if isinstance(found, tuple):
            faults.setdefault(found[0], []).append(found[1])
            continue
        if found.text_fault is not None:
            faults.setdefault("texts", []).append(found.text_fault)
            continue
        assert found.item.annotator is not None
        returned.setdefault(found.sheet.id, {})[found.item.annotator] = None
        word = one.words.get(ANSWER[found.sheet.judging.task], "")
        if not word:
            if other := next((w for w in one.words.values() if w), None):
                said_so = f"{one.where}: {clip(other)} stands in the wrong column"
                faults.setdefault("answer", []).append(
                    f"{said_so}; the column is '{ANSWER[found.sheet.judging.task]}'"
                )
            else:
                blank[found.item.annotator] += 1
            continue
        try:
            row = _row(found.sheet, found.item, found.claim, word) | {
                "raw": one.comment or None,
                "dialect": one.dialect,
            }
        except UsageError as error:
            faults.setdefault("answer", []).append(f"{one.where}: {error}")
            continue
        place = (found.item.id, found.claim)
        if place in taken:
            before, where = taken[place]
            if before["value"] == row["value"] and before["label"] == row["label"]:
                repeated += 1
                continue
            faults.setdefault("twice", []).append(
                f"{one.where}: {found.item.annotator} answers item '{one.item}' a second time, and otherwise"
                f" than in {where}"
            )
            continue
        taken[place] = (row, one.where)
    _refuse(faults)
    rows = [row for row, _ in taken.values()]
    rows += [row for id_, people in returned.items() for row in _ties(sheets[id_], people)]
    answered: Counter[str] = Counter(str(row["judge"]).removeprefix(PREFIX) for row, _ in taken.values())
    return Accepted(rows=rows, answered=answered, blank=blank, repeated=repeated)


def _refuse(faults: Mapping[str, Sequence[str]]) -> None:
    if not faults:
        return
    told = []
    for kind, found in faults.items():
        more = len(found) - 1
        places = ", ".join(fault.partition(": ")[0] for fault in found[1 : 1 + _NAMED])
        rest = "" if more <= _NAMED else f" and {more - _NAMED} more"
        what = {"sheet": "of the kind", "unknown": "unknown", "texts": "like it", "answer": "not allowed"}
        told.append(
            f"{found[0]}" + (f" ({more} more {what.get(kind, 'like it')}: {places}{rest})" if more else "")
        )
    raise UsageError("; ".join(told) + "; nothing was imported")


@dataclass(frozen=True, slots=True)
class _Found:
    sheet: KeySheet
    item: Keyed
    claim: int | None
    text_fault: str | None


def _found(one: Said, sheets: Mapping[str, KeySheet]) -> _Found | tuple[str, str]:
    """The item that an answer is about, or the kind of fault and its sentence."""
    id_, _, number = one.item.partition(".")
    sheet = sheets.get(sheet_of(id_))
    if sheet is None:
        known = ", ".join(sheets) or "none"
        return "sheet", (
            f"{one.where}: item {clip(one.item)} is of a sheet that was not exported from this run"
            f" (its sheets: {known})"
        )
    item = sheet.items.get(id_)
    if item is None:
        return "unknown", f"{one.where}: unknown item {clip(one.item)}{did_you_mean(id_, sheet.items)}"
    claim = None
    if sheet.judging.task == "claims":
        if not re.fullmatch(r"[1-9][0-9]{0,5}", number) or int(number) > len(item.claims):
            return (
                "unknown",
                f"{one.where}: item {clip(one.item)} names none of its {len(item.claims)} claims",
            )
        claim = int(number) - 1
    elif number:
        return "unknown", f"{one.where}: unknown item {clip(one.item)}{did_you_mean(one.item, sheet.items)}"
    return _Found(sheet, item, claim, _texts_fault(one, item, sheet, claim))


def _texts_fault(one: Said, item: Keyed, sheet: KeySheet, claim: int | None) -> str | None:
    """Where a row holds the texts that it is about, they must be those of its id."""
    texts, names = one.texts, ("answer_a", "answer_b") if sheet.judging.task == "pairwise" else ("answer",)
    if not all(name in texts for name in sheet.columns):
        return None  # the form shows its own, and people may take columns out
    answers = [texts[name] for name in names]
    if item.order == "swapped":
        answers.reverse()
    shown = shown_digest(texts["question"], texts.get("facts"), texts.get("reference"), answers, item.claims)
    if shown == item.digest and (claim is None or plain(texts.get("claim", "")) == plain(item.claims[claim])):
        return None
    return (
        f"{one.where}: the texts are not those that item '{one.item}' showed (sorted apart, edited, or cut by"
        " the spreadsheet?); where the ids are right, take out the columns of texts and import again"
    )


def _row(sheet: KeySheet, item: Keyed, claim: int | None, word: str) -> dict[str, Any]:
    value, label = _value(sheet, item, word)
    row = _base(sheet, item) | {
        "judge": f"{PREFIX}{item.annotator}",
        "order": item.order,
        "claim": claim,
        "text": None if claim is None else item.claims[claim],
        "value": value,
        "label": label,
    }
    return row | ({"strength": 1} if sheet.judging.task == "pairwise" else {})


def _ties(sheet: KeySheet, people: Iterable[str]) -> list[dict[str, Any]]:
    """Identical texts are a tie for all who sent something back."""
    return [
        _base(sheet, item)
        | {"judge": f"{PREFIX}{name}", "order": "given", "value": 0.5, "label": IDENTICAL, "dialect": "form"}
        for item in sheet.identical.values()
        for name in people
    ]


def _base(sheet: KeySheet, item: Keyed) -> dict[str, Any]:
    pair = len(item.writers) > 1
    return {
        "model": item.writers[0],
        "other": item.writers[1] if pair else None,
        "scenario": sheet.scenario,
        "case": item.case,
        "unit": item.unit,
        "repeat": item.repeat,
        "step": item.step,
        "rubric": sheet.rubric.name,
        "task": sheet.judging.task,
        "sample": 0,
        "status": str(JudgementStatus.OK),
        "length": item.lengths[0],
        "other_length": item.lengths[1] if pair else None,
        "key": item.id,
    }


def _value(sheet: KeySheet, item: Keyed, word: str) -> tuple[float, str]:
    task = sheet.judging.task
    if task == "pointwise":
        return _score(sheet, word), word
    allowed = SIDES if task == "pairwise" else VERDICTS
    said = {one.lower(): one for one in allowed}.get(" ".join(word.lower().split()))
    if said is None:
        raise UsageError(
            f"{clip(word)} is not an answer{did_you_mean(word, allowed)}"
            f" ({answers_allowed(task, sheet.rubric)})"
        )
    if task == "claims":
        return float(said == "supported"), said
    first = {"A": 1.0, "B": 0.0, "tie": 0.5}[said]
    return (1.0 - first if item.order == "swapped" else first), said


def _score(sheet: KeySheet, word: str) -> float:
    low, high = sheet.rubric.scale
    try:
        number = float(word.replace(",", "."))  # a spreadsheet writes the point of its country
    except ValueError:
        number = float("nan")
    if not low <= number <= high or (sheet.rubric.levels and number != int(number)):
        raise UsageError(f"{clip(word)} is not a score ({answers_allowed('pointwise', sheet.rubric)})")
    return number
