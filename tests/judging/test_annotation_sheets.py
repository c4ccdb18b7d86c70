"""Sheets for people: blind, shuffled, dealt as asked, safe to open, and the same every time."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from annotators import RUBRIC, TEXTS, dealt, exhibits, keyed
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.annotation.key import Key
from genrec_eval.judging.annotation.sheets import Sheets, plain
from genrec_eval.judging.annotation.write import csv_sheet, guarded, how_to, note
from genrec_eval.judging.types import Rubric
from genrec_eval.protocol.requests import Image
from genrec_eval.reporting.annotation import choices, render_form

TASKS = ["pointwise", "pairwise", "claims"]


def pages(sheets: Sheets) -> list[str]:
    """All that leaves the house."""
    people = list(sheets.items)
    return [
        how_to(sheets),
        *(csv_sheet(sheets, one) for one in people),
        *(render_form(sheets, one) for one in people),
    ]


@pytest.mark.parametrize("task", TASKS)
def test_nothing_tells_who_wrote_what(task: str) -> None:
    sheets = dealt(task)
    assert not [page for page in pages(sheets) if "zebra" in page or "quokka" in page]
    renamed = dealt(
        task, shown={"zebra": exhibits(12, TEXTS)["zebra"], "numbat": exhibits(12, TEXTS)["quokka"]}
    )
    for person, items in sheets.items.items():
        ids = [item.id.partition("-")[2] for item in items]
        assert ids == [f"{ids[0][0]}-{at:0{len(ids[0]) - 2}d}" for at in range(1, len(items) + 1)]
        others = renamed.items[person]
        assert [item.planned.case for item in items] == [item.planned.case for item in others]
        assert [item.order for item in items] == [item.order for item in others]


def test_orders_are_drawn_for_each_person() -> None:
    sheets = dealt("pairwise", overlap=1.0, shown=exhibits(60, TEXTS))
    ana, ben = (sheets.items[name] for name in ("ana", "ben"))
    assert [item.planned.case for item in ana] != [item.planned.case for item in ben]
    flips = {name: {item.planned.case: item.order for item in items} for name, items in sheets.items.items()}
    assert flips["ana"] != flips["ben"]
    assert 15 < Counter(flips["ana"].values())["swapped"] < 45
    item = next(item for item in ana if item.order == "swapped")
    assert item.answers == item.planned.task.answers[::-1]


@given(
    cases=st.integers(1, 9),
    people=st.integers(1, 4),
    overlap=st.floats(0, 1),
)
def test_every_case_is_dealt_whole_and_shared_ones_to_all(cases: int, people: int, overlap: float) -> None:
    names = [f"p{at}" for at in range(people)]
    sheets = dealt(annotators=names, overlap=overlap, shown=exhibits(cases, TEXTS))
    seen = {name: Counter(item.planned.case for item in items) for name, items in sheets.items.items()}
    assert all(n == 2 for counts in seen.values() for n in counts.values())  # both models' answers
    times = Counter(case for counts in seen.values() for case in counts)
    assert len(times) == cases
    assert sum(n == people for n in times.values()) == sheets.shared
    assert set(times.values()) <= {1, people}
    single = [len(counts) - sheets.shared for counts in seen.values()]
    assert max(single) - min(single) <= 1


def test_the_same_export_is_the_same_to_the_byte() -> None:
    assert pages(dealt()) == pages(dealt())
    assert dealt().id != dealt(seed=6).id
    assert dealt().id != dealt(annotators=["ana", "cy"]).id


def test_cells_are_no_formulas_and_come_back_as_they_were() -> None:
    sheets = dealt(annotators=["ana"])
    rows = list(csv.DictReader(io.StringIO(csv_sheet(sheets, "ana"), newline="")))
    assert list(rows[0]) == ["item", "question", "facts", "answer", "score", "comment"]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]
    texts = {text for item in sheets.items["ana"] for text in item.answers}
    assert {plain(row["answer"]) for row in rows} == {plain(text) for text in texts}
    assert any(row["answer"].startswith("'=Film") for row in rows)


@given(st.text(max_size=20))
def test_a_guard_is_undone(text: str) -> None:
    assert plain(guarded(text)) == plain(text)
    assert guarded(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")


class Page(HTMLParser):
    """What a browser would fetch, run, and show."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.policy = ""
        self.tags: Counter[str] = Counter()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        held = dict(attrs)
        self.links += [str(held[name]) for name in ("src", "href", "action", "srcset") if name in held]
        self.handlers += [name for name in held if name.startswith("on")]
        if held.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(held["content"])


@pytest.mark.parametrize("task", TASKS)
def test_the_form_is_one_file_that_fetches_nothing_and_runs_its_own_script_alone(task: str) -> None:
    text = render_form(dealt(task), "ana")
    page = Page()
    page.feed(text)
    assert page.links == []
    assert page.handlers == []
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        made = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{made}'" in page.policy
    assert page.policy.startswith("default-src 'none'")
    assert "http://" not in text
    assert "https://" not in text


def test_texts_are_shown_and_never_run() -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e{{ 7*7 }}"
    shown = exhibits(4, {"zebra": lambda i: hostile, "quokka": lambda i: f"{hostile} {i}"}, reference=hostile)
    rubric = Rubric(
        name="clarity", title="A <b> title", criterion=hostile, levels=of_levels(hostile), reference=True
    )
    text = render_form(dealt("pairwise", shown=shown, rubric=rubric), "ana")
    page = Page()
    page.feed(text)
    assert page.tags["script"] == page.tags["style"] == 1
    assert page.tags["img"] == 0
    assert "\u202e" not in text
    assert "⟨U+202E⟩" in text
    assert "{{ 7*7 }}" in text
    assert "&lt;script&gt;" in text


def of_levels(text: str) -> dict[int, str]:
    return dict.fromkeys(range(1, 6), text)


def test_levels_facts_reference_and_images_are_shown() -> None:
    image = Image(data=b"\x89PNG", media_type="image/png")
    rubric = Rubric(name="clarity", title="Clarity", criterion="Is it?", levels=RUBRIC.levels, reference=True)
    shown = exhibits(3, TEXTS, reference="As it should be.", images=(image,))
    sheets = dealt(shown=shown, rubric=rubric)
    form, sheet = render_form(sheets, "ana"), csv_sheet(sheets, "ana")
    for part in ("Level 3.", "It is from 1990.", "As it should be.", "data:image/png;base64,iVBORw=="):
        assert part in form
    assert "It is from 1990." in sheet
    assert "As it should be." in sheet
    assert "Level 3." in how_to(sheets)


def test_what_can_be_picked() -> None:
    assert [(one.value, one.key) for one in choices("pairwise", RUBRIC)] == [
        ("A", "a"),
        ("tie", "t"),
        ("B", "b"),
    ]
    assert [one.key for one in choices("claims", RUBRIC)] == ["s", "c", "n"]
    ten = Rubric(name="ten", title="Ten", criterion="?", scale=(1, 10))
    assert [one.key for one in choices("pointwise", ten)][-2:] == ["9", "0"]
    wide = Rubric(name="wide", title="Wide", criterion="?", scale=(0, 100))
    assert choices("pointwise", wide) == []
    assert 'type="number"' in render_form(dealt(rubric=wide), "ana")


def test_identical_texts_and_missing_ones_are_not_asked_about() -> None:
    texts = {
        "zebra": lambda i: None if i == 1 else f"Film {i} is a drama.",
        "quokka": lambda i: "Film 0 is a drama." if i == 0 else f"No {i}.",
    }
    sheets = dealt("pairwise", annotators=["ana"], shown=exhibits(5, texts))
    assert {item.planned.case for item in sheets.items["ana"]} == {"c2", "c3", "c4"}
    assert [item.planned.case for item in sheets.identical] == ["c0"]
    assert "1 pairs of identical texts" in note(sheets)
    assert "1 other no text" in note(sheets)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"annotators": []}, "name at least one annotator"),
        ({"annotators": ["ana", "Ana"]}, "annotator 'Ana' is named twice"),
        ({"annotators": ["../ana"]}, "a name is up to 40 letters"),
        ({"overlap": 1.5}, "between 0 and 1"),
        ({"shown": exhibits(3, {"zebra": lambda i: None})}, "nothing to annotate: 3 no text"),
    ],
)
def test_what_cannot_be_dealt_is_said(options: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        dealt(**options)


def test_the_key_keeps_what_ids_stand_for(tmp_path: Path) -> None:
    sheets = dealt("claims")
    key = keyed(tmp_path, sheets)
    kept = key.sheet(sheets.id)
    item = sheets.items["ben"][0]
    held = kept.items[item.id]
    assert (held.annotator, held.case, held.writers) == ("ben", item.planned.case, item.planned.writers)
    assert held.claims == item.planned.task.claims
    assert kept.rubric == sheets.question.rubric
    assert kept.annotators == ["ana", "ben"]
    other = Rubric(name="clarity", title="Clarity", criterion="Is it not?")
    with pytest.raises(UsageError, match="rubric 'clarity' has changed since sheet"):
        key.add(dealt(rubric=other))


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "other"}', "\x00"])
def test_a_key_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "KEY.json").write_text(text)
    with pytest.raises(UsageError, match=r"KEY\.json"):
        Key.read(tmp_path)


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    key = keyed(tmp_path, dealt())
    raw = json.loads(json.dumps(key.raw))
    (id_,) = raw["sheets"]
    del raw["sheets"][id_]["rubric"]["scale"]
    with pytest.raises(UsageError, match="is damaged"):
        Key(key.path, raw).sheet(id_)
