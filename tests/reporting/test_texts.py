"""Texts beside evidence: what is marked in a text, and which texts the report of a run shows."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsed_page import Page
from written_run import HOSTILE

from genrec_eval.reporting.html import render_report
from genrec_eval.reporting.pieces import SHOWN, VERDICTS, changed, marked
from genrec_eval.scenarios.evidence import Mark

TEXT = "Heat (1995) is by Ana Brandt, and you loved Alien."


def mark(words: str, verdict: str | None, evidence: str = "a fact", kind: str = "title") -> Mark:
    start = TEXT.index(words)
    return Mark(start=start, end=start + len(words), kind=kind, verdict=verdict, evidence=evidence)


def test_claims_are_numbered_in_the_order_of_the_text_and_told_worst_first() -> None:
    shown = marked(
        TEXT,
        [
            mark("Alien", "fabricated-history", "the history does not hold Alien"),
            mark("Heat", "supported", "in the catalogue: Heat"),
            mark("Ana Brandt", "contradicted", "director Bo Lind", kind="person"),
            mark("loved", None, "praises", kind="flattery"),
        ],
    )
    assert "".join(piece.text for piece in shown.head) == TEXT
    styles = {piece.text: (piece.style, piece.flagged, piece.labels) for piece in shown.head}
    assert styles["Heat"] == ("cs", False, "1")
    assert styles["Ana Brandt"] == ("cc", False, "2")
    assert styles["loved"] == ("", True, "a")
    assert styles["Alien"] == ("cf", False, "3")
    assert [(group.word, [fact.label for fact in group.rows]) for group in shown.facts] == [
        ("CONTRADICTED", ["2"]),
        ("FABRICATED HISTORY", ["3"]),
        ("ALSO FOUND", ["a"]),
        ("SUPPORTED", ["1"]),
    ]


def test_one_fact_has_one_number_whatever_is_said_of_it() -> None:
    shown = marked(TEXT, [mark("Heat", "supported"), mark("1995", "supported", kind="year")])
    (group,) = shown.facts
    assert [(fact.label, fact.kind, fact.evidence) for fact in group.rows] == [("1", "title, year", "a fact")]


def test_where_claims_overlap_the_worst_is_drawn() -> None:
    shown = marked(
        TEXT,
        [
            mark("Heat (1995)", "supported", "in the catalogue"),
            mark("1995", "contradicted", "year 1986", kind="year"),
        ],
    )
    assert [(piece.text, piece.style) for piece in shown.head[:3]] == [
        ("Heat (", "cs"),
        ("1995", "cc"),
        (")", "cs"),
    ]
    assert (shown.head[1].labels, shown.head[2].labels) == ("2", "1")


def test_long_texts_fold_and_end_with_what_is_left_out() -> None:
    text = "word " * 2000
    shown = marked(text, [])
    assert sum(len(piece.text) for piece in shown.head) <= 520
    assert shown.head[-1].text.endswith(" ")
    assert shown.folded == SHOWN - sum(len(piece.text) for piece in shown.head)
    assert shown.cut == len(text) - SHOWN
    lines = marked("a\n" * 30, [])
    assert "".join(piece.text for piece in lines.head).count("\n") <= 8
    assert not marked("short", []).tail


PLACES = st.tuples(
    st.integers(-3, 900), st.integers(-3, 900), st.sampled_from([*VERDICTS, None, "unheard-of"])
)


@given(st.text(max_size=900), st.lists(PLACES, max_size=20))
def test_marks_never_change_a_text_and_every_fact_is_told(
    text: str, places: list[tuple[int, int, str | None]]
) -> None:
    marks = [
        Mark(start=a, end=b, kind="title", verdict=verdict, evidence=str(i))
        for i, (a, b, verdict) in enumerate(places)
    ]
    shown = marked(text, marks)
    assert "".join(piece.text for piece in (*shown.head, *shown.tail)) == text
    inside = [one for one in marks if 0 <= one.start < one.end <= len(text)]
    labels = {label for piece in (*shown.head, *shown.tail) for label in piece.labels.split()}
    assert labels == {fact.label for group in shown.facts for fact in group.rows}
    assert len(labels) == len(inside)


def test_changed_words_are_told_from_the_others() -> None:
    assert changed("you liked Heat", "you liked Heat") == [("you liked Heat", False)]
    assert "".join(text for text, _ in changed("a b c", "c b a d")) == "c b a d"


# The report of a run.


@pytest.fixture(scope="module")
def run(written: Path) -> Path:
    return written


@pytest.fixture(scope="module")
def text(run: Path) -> str:
    return (run / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def part(text: str, model: str) -> str:
    """The article of one writer."""
    articles = re.findall(r'<article class="writer".*?</article>', text, re.DOTALL)
    (found,) = [
        one for one in articles if f"<bdi>{model}</bdi></h4>" in one or f"<bdi>{model}</bdi> <" in one
    ]
    return found


def test_every_claim_stands_beside_its_fact(run: Path, text: str) -> None:
    records = pq.read_table(run / "records").to_pylist()
    wrong = part(text, "misinformed")
    quoted = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", wrong, re.DOTALL)
    assert quoted is not None
    said = html.unescape(re.sub(r"<sup>.*?</sup>|<details>.*|<[^>]+>", "", quoted[1])).strip()
    assert any(row["model"] == "misinformed" and row["text"].startswith(said[:200]) for row in records)
    numbers = re.findall(r'<u class="cc">.*?</u><sup>(\d+)', quoted[1])
    assert numbers
    groups = dict(
        re.findall(r'<span class="verdict \w+">([A-Z ]+)</span></p>\s*<ol>(.*?)</ol>', wrong, re.DOTALL)
    )
    assert set(numbers) <= set(re.findall(r"<b>(\d+)</b>", groups["CONTRADICTED"]))
    assert "the item to explain: " in groups["SUPPORTED"]


def test_every_planted_flaw_is_named_where_its_writer_is_quoted(text: str) -> None:
    for model, flaw, word in (
        ("inventor", "Fabricated history", "FABRICATED HISTORY"),
        ("misinformed", "Contradicted", "CONTRADICTED"),
        ("constant", "USR", "Nothing in it can be looked up"),
    ):
        found = part(text, model)
        assert f"planted flaw: {flaw}" in found
        assert "Fails " in found
        assert word in found
    assert "Fails no claim or check" in part(text, "template")


def test_writers_that_fail_come_first_and_are_open(text: str) -> None:
    articles = re.findall(r'<article class="writer".*?</article>', text, re.DOTALL)
    failing = ["Fails no claim" not in one for one in articles]
    assert failing == sorted(failing, reverse=True)
    assert ['<details class="instance" open>' in one for one in articles] == failing


def test_one_case_is_the_same_for_all_writers(text: str) -> None:
    about = [
        set(re.findall(r'<details class="instance"[^>]*><summary>(.*?) <span', one))
        for one in re.findall(r'<article class="writer".*?</article>', text, re.DOTALL)
    ]
    assert set.intersection(*about)


def test_variants_references_facts_and_judgements_stand_with_the_text(text: str) -> None:
    found = part(text, "template")
    for words in (
        "asked again in other words",
        "asked again without what the text cites: ",
        "All facts that it was given",
        "<strong>rules</strong> on Faithfulness to the facts: 5 on a scale from 1 to 5",
        "what it wrote",
    ):
        assert words in found
    assert "against template: " in part(text, "inventor")


def test_a_hostile_text_is_shown_whole_enough_and_does_nothing(text: str, page: Page) -> None:
    assert page.faults == []
    assert [tag for tag, _ in page.tags if tag in ("script", "img", "iframe")] == ["script"]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    found = part(text, "hostile")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found
    assert "{{ 7*7 }}" in found
    assert "⟨U+202E⟩kcab⟨U+202C⟩" in found
    assert "\u202e" not in text
    assert "gives orders to a judge or a language model" in found
    assert "more characters</summary>" in found
    assert f"{len(HOSTILE) - SHOWN:,} more characters are not quoted" in found
    assert "&lt;img src=x onerror=alert(2)&gt;" in text


def test_the_page_is_well_formed_links_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for tag, a in page.tags if tag == "a" and a.get("href", "").startswith("#")}
    assert links <= set(ids)
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(later <= earlier + 1 for earlier, later in steps)


def test_the_same_run_gives_the_same_page(run: Path, text: str) -> None:
    assert render_report(run) == text


def test_texts_that_cannot_be_read_back_are_told_and_the_rest_stands(run: Path, tmp_path: Path) -> None:
    for name, fault in (
        ("cases", "cases/explanation.parquet is missing"),
        ("judgements.parquet", "judgements"),
    ):
        copy = tmp_path / name.partition(".")[0]
        shutil.copytree(run, copy)
        if name == "cases":
            shutil.rmtree(copy / "cases")
        else:
            (copy / name).write_bytes(b"no table")
        found = render_report(copy)
        assert "The texts cannot be shown: " in found
        assert fault in found
        assert "Figures of scenario explanation" in found


def test_records_of_no_case_end_in_a_sentence(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "twice"
    shutil.copytree(run, copy)
    (path,) = [one for one in (copy / "records").iterdir() if "template" in one.name][:1]
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table]), path)
    assert "has two records of repeat 0, step 0" in render_report(copy)


def test_a_run_whose_suite_is_not_kept_has_no_texts(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bare"
    shutil.copytree(run, copy)
    kept = json.loads((copy / "run.json").read_text())
    del kept["suite"]
    (copy / "run.json").write_text(json.dumps(kept))
    assert "What do the texts say" not in render_report(copy)
