"""The form for people as one HTML file: no network, nothing in it that tells who wrote a text."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from genrec_eval.core.content import content
from genrec_eval.judging.annotation.sheets import ANSWER, VERDICTS, Item, Sheets
from genrec_eval.judging.annotation.write import rows_of
from genrec_eval.judging.types import Rubric
from genrec_eval.reporting.text import visible

MOST_CHOICES = 11
"""Scores of wider scales are typed in."""
_MEANINGS = {
    "A": "is better",
    "B": "is better",
    "tie": "neither is better",
    "supported": "the facts say so",
    "contradicted": "the facts say otherwise",
    "not in source": "the facts say nothing about it",
}
_ASKED = {
    "pointwise": "Give each answer a score.",
    "pairwise": "Say which of the two answers is better.",
    "claims": "Say of each claim whether the facts support it.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be picked, by mouse or by key."""

    value: str
    key: str
    meaning: str


def render_form(sheets: Sheets, annotator: str) -> str:
    """One person's items as a page that keeps answers in the browser and saves them as a file."""
    from markupsafe import Markup

    rubric, task = sheets.question.rubric, sheets.question.judging.task
    style, script = (
        (content("reports") / "annotate" / name).read_text("utf-8") for name in ("form.css", "form.js")
    )
    items = sheets.items[annotator]
    chosen = choices(task, rubric)
    keys = "to ".join([f"{chosen[0].key} ", chosen[-1].key]) if task == "pointwise" and chosen else ""
    keys = (
        keys or ", ".join(f"{one.key} for {one.value}" for one in chosen) or "none for scores of this scale"
    )
    shown = {
        "policy": "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none';"
        f" style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        "style": Markup(style),
        "script": Markup(script),
        "sheet": sheets.id,
        "annotator": annotator,
        "rubric": rubric,
        "task": task,
        "column": ANSWER[task],
        "asked": _ASKED[task],
        "keys": keys,
        "choices": chosen,
        "recalls": sheets.question.recalls,
        "items": [_item(item) for item in items],
        "total": sum(len(rows_of(item)) for item in items),
    }
    return str(_environment().get_template("form.html.j2").render(shown))


def choices(task: str, rubric: Rubric) -> list[Choice]:
    """What can be picked; empty where a number is typed in."""
    if task == "pairwise":
        return [Choice(side, side[0].lower(), _MEANINGS[side]) for side in ("A", "tie", "B")]
    if task == "claims":
        return [Choice(word, word[0], _MEANINGS[word]) for word in VERDICTS]
    low, high = rubric.scale
    if high - low >= MOST_CHOICES:
        return []
    scores = range(low, high + 1)
    # 10 is typed with 0, scores below 0 and above 10 have no key
    return [
        Choice(str(one), "0" if one == 10 and low > 0 else str(one), rubric.levels.get(one, ""))
        for one in scores
    ]


def _item(item: Item) -> dict[str, Any]:
    task = item.planned.task
    assert task is not None
    letters = ("A", "B") if len(item.answers) > 1 else ("",)
    return {
        "id": item.id,
        "question": task.prompt,
        "facts": task.context,
        "reference": task.reference,
        "images": [
            f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}" for image in task.images
        ],
        "answers": list(zip(letters, item.answers, strict=True)),
        "groups": [
            {"id": id_, "claim": claim if task.kind == "claims" else None} for id_, claim in rows_of(item)
        ],
    }


def _hash(text: str) -> str:
    """As a content security policy names an inline style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    return Environment(
        loader=FileSystemLoader(content("reports") / "annotate"),
        autoescape=True,
        # what could hide or reorder text becomes visible, as in reports
        finalize=lambda value: (
            visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
