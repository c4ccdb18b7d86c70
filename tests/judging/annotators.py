"""Exhibits to annotate, and people who fill in sheets: csv as spreadsheets save it, and the form's file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genrec_eval.judging.annotation.key import Key
from genrec_eval.judging.annotation.sheets import ANSWER, Item, Sheets, make_sheets
from genrec_eval.judging.annotation.stored import people_question, plans_of
from genrec_eval.judging.annotation.write import csv_sheet, rows_of
from genrec_eval.judging.policy import Judging
from genrec_eval.judging.question import Question
from genrec_eval.judging.types import Exhibit, Rubric

LEVELS = {score: f"Level {score}." for score in range(1, 6)}
RUBRIC = Rubric(name="clarity", title="Clarity", criterion="Is it clear?", levels=LEVELS)


def asking(task: str = "pointwise", rubric: Rubric = RUBRIC) -> Question:
    """The question that people are put."""
    against = "zebra" if task == "pairwise" else None
    judging = Judging.model_validate(
        {"judge": "human", "rubric": rubric.name, "task": task, "against": against}
    )
    return people_question(judging, rubric)


def exhibits(
    cases: int, texts: Mapping[str, Callable[[int], str | None]], **more: Any
) -> dict[str, list[Exhibit]]:
    """Model → what it said about each case; of two cases each is a unit."""
    return {
        model: [
            Exhibit(
                case=f"c{i}",
                unit=f"u{i // 2}",
                prompt=f"Why film {i}?",
                answer=says(i),
                context=f"Film {i} is a drama.\nIt is from 1990.",
                **more,
            )
            for i in range(cases)
        ]
        for model, says in texts.items()
    }


TEXTS: dict[str, Callable[[int], str | None]] = {
    "zebra": lambda i: f"Film {i} is a drama. It is long.",
    "quokka": lambda i: f'=Film {i} is, as they say, a "comedy".\nIt is short.',
}


def dealt(
    task: str = "pointwise",
    annotators: Sequence[str] = ("ana", "ben"),
    overlap: float = 0.25,
    shown: Mapping[str, Sequence[Exhibit]] | None = None,
    rubric: Rubric = RUBRIC,
    seed: int = 5,
) -> Sheets:
    """Sheets of twelve cases unless told otherwise."""
    question = asking(task, rubric)
    shown = exhibits(12, TEXTS) if shown is None else shown
    plans = plans_of(question, shown, seed, "notes")
    return make_sheets(plans, question, scenario="notes", seed=seed, annotators=annotators, overlap=overlap)


def keyed(folder: Path, *exports: Sheets) -> Key:
    """A key that knows the exports."""
    key = Key.read(folder)
    for sheets in exports:
        key.add(sheets)
    return key


Says = Callable[[Item, str], str]
"""Item and claim → what a person writes; blank for nothing."""


def as_csv(
    sheets: Sheets, annotator: str, says: Says, path: Path, delimiter: str = ",", bom: bool = True
) -> Path:
    """The sheet with answers, as a spreadsheet saves it: separators and line ends of its own."""
    rows = list(csv.DictReader(io.StringIO(csv_sheet(sheets, annotator), newline="")))
    asked = [(item, claim) for item in sheets.items[annotator] for _, claim in rows_of(item)]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    for row, (item, claim) in zip(rows, asked, strict=True):
        row[ANSWER[sheets.question.judging.task]] = says(item, claim)
        writer.writerow({name: text.replace("\n", "\r\n") for name, text in row.items()})
    path.write_bytes(out.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    return path


def as_form(sheets: Sheets, annotator: str, says: Says, path: Path, comment: str = "") -> Path:
    """What the form's script writes, to the letter: one answer a line, blank ones too."""
    judging = sheets.question.judging
    head = {
        "schema": "genrec-eval/annotations/1",
        "sheet": sheets.id,
        "annotator": annotator,
        "rubric": judging.rubric,
        "task": judging.task,
    }
    rows = [
        {"item": id_, ANSWER[judging.task]: says(item, claim), "comment": comment}
        for item in sheets.items[annotator]
        for id_, claim in rows_of(item)
    ]

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    path.write_text(
        f'{line(head)[:-1]}, "answers": [\n' + ",\n".join(map(line, rows)) + "\n]}\n", encoding="utf-8"
    )
    return path


def good(item: Item, claim: str) -> str:
    """Likes what is about a drama."""
    if claim:
        return "supported" if "drama" in claim else "not in source"
    likes = ["drama" in answer for answer in item.answers]
    if len(likes) == 1:
        return "5" if likes[0] else "2"
    return "tie" if likes[0] == likes[1] else "A" if likes[0] else "B"
