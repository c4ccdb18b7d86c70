"""Sheets that come back: turned back, checked row by row, merged; what is wrong is named with its place."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from annotators import TEXTS, as_csv, as_form, dealt, exhibits, good, keyed
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.annotation.accept import Accepted, accept
from genrec_eval.judging.annotation.key import Key
from genrec_eval.judging.annotation.read import read_all, read_answers
from genrec_eval.judging.annotation.sheets import Sheets
from genrec_eval.judging.annotation.stored import FILE, labels, merge
from genrec_eval.judging.rows import judgement_table
from genrec_eval.judging.types import Rubric
from genrec_eval.protocol.tables import JUDGEMENTS

WAYS = {"csv": as_csv, "form": as_form}
ENDINGS = {"csv": "csv", "form": "json"}


def taken(folder: Path, sheets: Sheets, *files: Path) -> Accepted:
    return accept(read_all(files), keyed(folder, sheets))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("task", ["pointwise", "pairwise", "claims"])
def test_answers_become_judgements_of_the_right_model(tmp_path: Path, task: str, way: str) -> None:
    sheets = dealt(task)
    files = [WAYS[way](sheets, name, good, tmp_path / f"{name}.{ENDINGS[way]}") for name in sheets.items]
    done = taken(tmp_path, sheets, *files)
    table = judgement_table(done.rows)
    assert table.schema.equals(JUDGEMENTS)
    asked = sum(max(1, len(item.planned.task.claims)) for items in sheets.items.values() for item in items)
    assert len(done.rows) == asked == sum(done.answered.values())
    assert {row["judge"] for row in done.rows} == {"human:ana", "human:ben"}
    for row in done.rows:  # the zebra writes of dramas, whatever the order in which it was shown
        if task == "pointwise":
            assert row["value"] == (5 if row["model"] == "zebra" else 2)
        elif task == "pairwise":
            assert (row["model"], row["other"], row["value"]) == ("quokka", "zebra", 0.0)
        else:
            assert row["value"] == float(row["label"] == "supported") == float("drama" in row["text"])
    if task == "pairwise":
        assert {row["order"] for row in done.rows} == {"given", "swapped"}
        assert {row["label"] for row in done.rows} == {"A", "B"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [True, False])
def test_spreadsheets_write_separators_of_their_country(tmp_path: Path, delimiter: str, bom: bool) -> None:
    sheets = dealt()
    file = as_csv(
        sheets, "ana", lambda *_: "4,0" if delimiter != "," else "4.0", tmp_path / "a.csv", delimiter, bom
    )
    done = taken(tmp_path, sheets, file)
    assert {row["value"] for row in done.rows} == {4.0}


def test_blank_rows_are_skipped_and_counted(tmp_path: Path) -> None:
    sheets = dealt()
    first = sheets.items["ana"][0].id
    file = as_csv(sheets, "ana", lambda item, _: "3" if item.id == first else " ", tmp_path / "a.csv")
    done = taken(tmp_path, sheets, file)
    assert done.answered == {"ana": 1}
    assert done.blank == {"ana": len(sheets.items["ana"]) - 1}


def test_comments_are_kept(tmp_path: Path) -> None:
    sheets = dealt()
    done = taken(tmp_path, sheets, as_form(sheets, "ana", good, tmp_path / "a.json", comment="=odd,\n“this”"))
    assert {row["raw"] for row in done.rows} == {"=odd,\n“this”"}
    assert {row["dialect"] for row in done.rows} == {"form"}


def test_rows_may_be_sorted_and_columns_of_texts_taken_out(tmp_path: Path) -> None:
    sheets = dealt()
    whole = as_csv(sheets, "ana", good, tmp_path / "whole.csv")
    items = sheets.items["ana"]
    few = tmp_path / "few.csv"
    few.write_text("score,item\n" + "".join(f"{good(item, '')},{item.id}\n" for item in reversed(items)))
    known = {(row["key"], row["value"]) for row in taken(tmp_path, sheets, whole).rows}
    assert {(row["key"], row["value"]) for row in taken(tmp_path, sheets, few).rows} == known


def edited(sheets: Sheets, path: Path, old: str, new: str, task_says=good) -> Path:
    file = as_csv(sheets, "ana", task_says, path)
    text = file.read_text(encoding="utf-8-sig")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8-sig")
    return file


def test_texts_sorted_apart_from_their_ids_are_found(tmp_path: Path) -> None:
    sheets = dealt()
    one, other = (item.id for item in sheets.items["ana"][:2])
    file = edited(sheets, tmp_path / "a.csv", one, "ID")
    text = file.read_text(encoding="utf-8-sig").replace(other, one).replace("ID", other)
    file.write_text(text, encoding="utf-8-sig")
    with pytest.raises(UsageError, match=r"a\.csv:2: the texts are not those that item .* showed .*\(1 more"):
        taken(tmp_path, sheets, file)


def test_unknown_ids_are_named_with_their_place_and_count(tmp_path: Path) -> None:
    sheets = dealt(annotators=["ana"])
    file = tmp_path / "a.csv"
    ids = [item.id for item in sheets.items["ana"]]
    file.write_text(
        "item,score\n"
        + "".join(f"{id_},3\n" for id_ in [*ids[:2], *(f"{sheets.id}-9-{n}" for n in range(6))])
    )
    with pytest.raises(UsageError) as caught:
        taken(tmp_path, sheets, file)
    said = str(caught.value)
    assert f"a.csv:4: unknown item '{sheets.id}-9-0'" in said
    assert "5 more unknown" in said
    assert "a.csv:5" in said
    assert said.endswith("nothing was imported")


def test_sheets_of_another_run_are_refused(tmp_path: Path) -> None:
    mine, theirs = dealt(), dealt(seed=9)
    file = as_form(theirs, "ana", good, tmp_path / "a.json")
    with pytest.raises(
        UsageError,
        match=rf"a\.json, answer 1: item .* is of a sheet that was not exported from this run"
        rf" \(its sheets: {mine.id}\)",
    ):
        taken(tmp_path, mine, file)


@pytest.mark.parametrize(
    ("task", "word", "says"),
    [
        ("pointwise", "6", r"'6' is not a score \(a whole number from 1 to 5\)"),
        ("pointwise", "3.5", r"'3.5' is not a score"),
        ("pointwise", "nan", r"'nan' is not a score"),
        ("pointwise", "good", r"'good' is not a score"),
        ("pairwise", "C", r"'C' is not an answer.* \(A, B or tie\)"),
        ("pairwise", "tied", r"'tied' is not an answer; did you mean 'tie'\?"),
        ("claims", "suported", r"'suported' is not an answer; did you mean 'supported'\?"),
    ],
)
def test_answers_that_are_not_allowed_are_named(tmp_path: Path, task: str, word: str, says: str) -> None:
    sheets = dealt(task, annotators=["ana"])
    first = sheets.items["ana"][0].id
    file = as_csv(
        sheets, "ana", lambda item, claim: word if item.id == first else good(item, claim), tmp_path / "a.csv"
    )
    with pytest.raises(UsageError, match=rf"a\.csv:2: {says}.*nothing was imported"):
        taken(tmp_path, sheets, file)


def test_words_are_read_whatever_their_case(tmp_path: Path) -> None:
    sheets = dealt("pairwise")
    done = taken(tmp_path, sheets, as_csv(sheets, "ana", lambda *_: " TIE ", tmp_path / "a.csv"))
    assert {(row["value"], row["label"]) for row in done.rows} == {(0.5, "tie")}


def test_scores_without_levels_may_be_fractions(tmp_path: Path) -> None:
    sheets = dealt(rubric=Rubric(name="wide", title="Wide", criterion="?", scale=(0, 100)))
    done = taken(tmp_path, sheets, as_csv(sheets, "ana", lambda *_: "62.5", tmp_path / "a.csv"))
    assert {row["value"] for row in done.rows} == {62.5}


def test_an_item_twice_is_fine_where_both_say_the_same(tmp_path: Path) -> None:
    sheets = dealt()
    one = as_csv(sheets, "ana", good, tmp_path / "a.csv")
    two = as_form(sheets, "ana", good, tmp_path / "a.json")
    done = taken(tmp_path, sheets, one, two)
    assert done.repeated == len(done.rows) == len(sheets.items["ana"])
    three = as_form(sheets, "ana", lambda *_: "1", tmp_path / "b.json")
    with pytest.raises(
        UsageError, match=r"b\.json, answer 1: ana answers item .* a second time, and otherwise than in"
    ):
        taken(tmp_path, sheets, one, three)


def test_claims_are_known_by_number(tmp_path: Path) -> None:
    sheets = dealt("claims", annotators=["ana"])
    id_ = sheets.items["ana"][0].id
    for item in (id_, f"{id_}.0", f"{id_}.9", f"{id_}.x"):
        (tmp_path / "a.csv").write_text(f"item,verdict\n{item},supported\n")
        with pytest.raises(UsageError, match=rf"'{item}' names none of its 2 claims"):
            taken(tmp_path, sheets, tmp_path / "a.csv")


def test_the_column_of_another_task_is_named(tmp_path: Path) -> None:
    sheets = dealt("pairwise", annotators=["ana"])
    (tmp_path / "a.csv").write_text(f"item,score\n{sheets.items['ana'][0].id},3\n")
    with pytest.raises(UsageError, match="'3' stands in the wrong column; the column is 'winner'"):
        taken(tmp_path, sheets, tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "item,scor\nx,1\n", "unknown column 'scor'; did you mean 'score'"),
        ("a.csv", "score\n1\n", "has no column 'item'"),
        ("a.csv", "item,comment\nx,y\n", "has no column of answers"),
        ("a.csv", "item,score\nx,1,2\n", "line 2 has 3 fields"),
        ("a.csv", 'item,score,comment\nx,1,"open\nx,1,y\n', "a quote opens here"),
        ("a.json", "{", "is not valid JSON"),
        ("a.json", "[" * 100_000, "is not valid JSON"),
        ("a.json", "[]", "is not a file that an annotation form saves"),
        ("a.json", '{"schema": "genrec-eval/annotations/1"}', "has no list 'answers'"),
        ("a.json", '{"schema": "genrec-eval/annotations/1", "answers": [3]}', "answer 1 has no 'item'"),
        (
            "a.json",
            '{"schema": "genrec-eval/annotations/1", "answers": [{"item": "x", "score": [3]}]}',
            "'score' is '\\[3\\]', and not a text or number",
        ),
        ("a.html", "<html>", "press 'Save answers'"),
        ("a.pdf", "%PDF", "neither a .csv sheet nor the .json file"),
    ],
)
def test_files_that_are_no_sheets_are_said(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=says):
        read_answers(tmp_path / name)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"item,score\nx\xff,1\n")
    with pytest.raises(UsageError, match="save the file as UTF-8"):
        read_answers(tmp_path / "a.csv")
    (tmp_path / "a.json").write_bytes(b'{"schema": "\xff"}')
    with pytest.raises(UsageError, match="is not valid JSON"):
        read_answers(tmp_path / "a.json")
    with pytest.raises(UsageError, match=r"no such file of annotations: .*b\.csv; did you mean 'a.csv'"):
        read_answers(tmp_path / "b.csv")


@settings(max_examples=60)
@given(text=st.text(max_size=60))
def test_any_file_ends_in_answers_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, head in (("a.csv", "item,score\n"), ("a.json", "")):
        (folder / name).write_text(head + text, encoding="utf-8", errors="replace")
        with contextlib.suppress(UsageError):
            accept(read_answers(folder / name), Key.read(folder))


def test_identical_texts_are_ties_of_those_who_answered(tmp_path: Path) -> None:
    texts = {**TEXTS, "quokka": lambda i: TEXTS["zebra"](i) if i == 0 else f"No {i}."}
    sheets = dealt("pairwise", shown=exhibits(6, texts))
    done = taken(tmp_path, sheets, as_csv(sheets, "ana", good, tmp_path / "a.csv"))
    same = [row for row in done.rows if row["label"] == "identical"]
    assert [(row["judge"], row["case"], row["value"]) for row in same] == [("human:ana", "c0", 0.5)]


def test_a_later_import_replaces_and_adds(tmp_path: Path) -> None:
    sheets = dealt()
    one = taken(tmp_path, sheets, as_csv(sheets, "ana", good, tmp_path / "a.csv"))
    table, replaced = merge(tmp_path, one.rows)
    assert (len(table), replaced) == (len(one.rows), 0)
    pq.write_table(table, tmp_path / FILE)
    again, replaced = merge(tmp_path, one.rows)
    assert replaced == 0
    assert again.equals(table)
    ben = taken(tmp_path, sheets, as_form(sheets, "ben", good, tmp_path / "b.json"))
    more, replaced = merge(tmp_path, ben.rows)
    assert (len(more), replaced) == (len(one.rows) + len(ben.rows), 0)
    changed = taken(tmp_path, sheets, as_csv(sheets, "ana", lambda *_: "1", tmp_path / "c.csv"))
    newer, replaced = merge(tmp_path, changed.rows)
    assert (len(newer), replaced) == (len(one.rows), len(one.rows))
    assert set(newer.column("value").to_pylist()) == {1.0}


def test_a_person_asked_twice_by_two_sheets_counts_once(tmp_path: Path) -> None:
    first, second = dealt(annotators=["ana"]), dealt(annotators=["ana", "ben"], overlap=1.0)
    key = keyed(tmp_path, first, second)
    one = accept(read_all([as_csv(first, "ana", good, tmp_path / "a.csv")]), key)
    pq.write_table(merge(tmp_path, one.rows)[0], tmp_path / FILE)
    two = accept(read_all([as_csv(second, "ana", lambda *_: "1", tmp_path / "b.csv")]), key)
    table, replaced = merge(tmp_path, two.rows)
    assert (len(table), replaced) == (24, 24)
    assert set(table.column("value").to_pylist()) == {1.0}


def test_annotations_are_labels_of_an_audit(tmp_path: Path) -> None:
    sheets = dealt("pairwise")
    done = taken(tmp_path, sheets, *(as_csv(sheets, n, good, tmp_path / f"{n}.csv") for n in ("ana", "ben")))
    pq.write_table(judgement_table(done.rows), tmp_path / FILE)
    found = labels(tmp_path, "notes", "clarity", "pairwise")
    assert found.pairwise
    assert set(found.annotator) == {"ana", "ben"}
    assert set(found.value) == {0.0}
    with pytest.raises(UsageError, match="no annotations by rubric 'clarity' \\(pointwise\\)"):
        labels(tmp_path, "notes", "clarity", "pointwise")


def test_a_file_of_annotations_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(json.dumps({}).encode())
    with pytest.raises(UsageError, match=r"annotations\.parquet cannot be read"):
        merge(tmp_path, [])
