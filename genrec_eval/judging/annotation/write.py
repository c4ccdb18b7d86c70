"""Sheets as csv, and a page of words on how to fill them in."""

from __future__ import annotations

import csv
import io

from genrec_eval.judging.annotation.sheets import ANSWER, GUARDED, Item, Sheets
from genrec_eval.judging.types import Rubric

COMMENT = "comment"
HOW_TO = "HOW-TO.txt"


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> guarded("=HYPERLINK(1)"), guarded("fine")
    ("'=HYPERLINK(1)", 'fine')
    """
    return f"'{text}" if text.startswith(GUARDED) else text


def csv_sheet(sheets: Sheets, annotator: str) -> str:
    """One person's sheet: a row per item, or per claim of it, with the answer left blank."""
    columns = sheets.columns
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["item", *columns, ANSWER[sheets.question.judging.task], COMMENT])
    for item in sheets.items[annotator]:
        task = item.planned.task
        assert task is not None
        shown = {"question": task.prompt, "facts": task.context or "", "reference": task.reference or ""}
        shown |= dict(
            zip(("answer_a", "answer_b") if len(item.answers) > 1 else ("answer",), item.answers, strict=True)
        )
        for id_, claim in rows_of(item):
            texts = {**shown, "claim": claim}
            writer.writerow([guarded(cell) for cell in [id_, *(texts[name] for name in columns), "", ""]])
    return out.getvalue()


def rows_of(item: Item) -> list[tuple[str, str]]:
    """Id and claim of each row of an item; one row without a claim unless claims are judged."""
    assert item.planned.task is not None
    if item.planned.task.kind != "claims":
        return [(item.id, "")]
    return [(f"{item.id}.{at}", claim) for at, claim in enumerate(item.planned.task.claims, 1)]


def answers_allowed(task: str, rubric: Rubric) -> str:
    """What may stand in the column of the answer, in words."""
    if task == "pairwise":
        return "A, B or tie"
    if task == "claims":
        return "supported, contradicted or not in source"
    low, high = rubric.scale
    return f"a whole number from {low} to {high}" if rubric.levels else f"a number from {low} to {high}"


def note(sheets: Sheets) -> str:
    """How much there is to do, and for whom."""
    counts = {name: len(items) for name, items in sheets.items.items()}
    many = ", ".join(f"{name} {n}" for name, n in counts.items())
    told = f"{sheets.cases} cases; items: {many}"
    if len(counts) > 1:
        told += (
            f"; {sheets.shared} of the cases go to everybody, so that agreement between people can be told"
        )
    if sheets.identical:
        told += f"; {len(sheets.identical)} pairs of identical texts are ties that nobody is asked about"
    if sheets.unaskable:
        told += "; not asked: " + ", ".join(
            f"{n} {reason.replace('-', ' ')}" for reason, n in sorted(sheets.unaskable.items())
        )
    return told


def how_to(sheets: Sheets) -> str:
    """The page that goes to people beside their sheet; it names no model."""
    rubric, task = sheets.question.rubric, sheets.question.judging.task
    asked = {
        "pointwise": "Give each answer a score.",
        "pairwise": "Say which of the two answers is better.",
        "claims": "Say of each claim whether the facts support it.",
    }[task]
    levels = [f"  {score}  {text}" for score, text in rubric.levels.items()] if task == "pointwise" else []
    meaning = {
        "pairwise": ["  A    the first answer is better", "  B    the second is", "  tie  neither is"],
        "claims": [
            "  supported      the facts say so",
            "  contradicted   the facts say otherwise",
            "  not in source  the facts say nothing about it",
        ],
    }
    return "\n".join(
        [
            f"{rubric.title}",
            "",
            rubric.criterion,
            asked,
            "",
            *(meaning.get(task) or levels),
            *([""] if meaning.get(task) or levels else []),
            "Open your .html file in a browser, or your .csv file in a spreadsheet; one of them is enough.",
            "The page keeps what you say in that browser; when done, press 'Save answers' and send the",
            "file that it saves.",
            f"In the spreadsheet fill the column '{ANSWER[task]}' with {answers_allowed(task, rubric)},",
            "and the column 'comment' if you like; leave the others as they are and save as CSV UTF-8.",
            "Leave blank what you cannot tell. Go by what is written alone; length is no merit by itself.",
            "",
        ]
    )
