"""Verify: an untouched run passes, and each tampering is named with its file and row."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_tools import edit, edit_json, snapshot

from genrec_eval.audit.chain import recomputed
from genrec_eval.audit.chain.build import seal_pages, write_chain
from genrec_eval.audit.chain.verify import verify_run
from genrec_eval.cli.main import exit_code
from genrec_eval.engine.rundir import RunDirectory

LISTS = "records/top-k@popularity.00000.parquet"
NOTES = "records/notes@quokka.00000.parquet"


def said(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = exit_code(["verify", str(path), *options])
    told = capsys.readouterr()
    return code, told.out + told.err


def first(path: Path) -> str:
    return str(verify_run(path).findings[0])


@pytest.mark.parametrize("which", ["ranked", "written"])
def test_an_untouched_run_passes_and_is_not_touched(
    which: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    run = request.getfixturevalue(which)
    before = snapshot(run)
    code, told = said(run, capsys)
    assert code == 0, told
    assert "as they were when the run was scored" in told
    assert "made again from the records: the same" in told
    assert "report.html" in told
    assert "not signed" in told
    assert "journal.sqlite" in told
    assert "Integrity is not authenticity" in told
    assert snapshot(run) == before


def _swap(rows: list[Any], i: int, j: int) -> None:
    rows[i], rows[j] = rows[j], rows[i]


def _score_row(rows: list[dict[str, Any]], metric: str, model: str, scored: bool = True) -> int:
    return next(
        i
        for i, row in enumerate(rows)
        if (row["metric"], row["model"]) == (metric, model)
        and row["unit"]
        and (row["value"] is not None) == scored
    )


def _raise_score(rows: list[dict[str, Any]]) -> None:
    rows[_score_row(rows, "ndcg@10", "popularity")]["value"] = 0.987


def _reason(rows: list[dict[str, Any]]) -> None:
    rows[_score_row(rows, "words", "gappy", scored=False)]["reason"] = "left-out"


def _payload(run: Path) -> None:
    path = next((run / "blobs").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")


TAMPERINGS: dict[str, tuple[str, str, Callable[[Path], Any], str]] = {
    "a record's list": (
        "ranked",
        LISTS,
        lambda run: edit(run / LISTS, lambda rows: rows[17]["items"].reverse()),
        rf"^{LISTS}, row 17 \(model popularity, scenario top-k, case .*\): was edited$",
    ),
    "a record's text": (
        "written",
        NOTES,
        lambda run: edit(run / NOTES, lambda rows: rows[3].update(text="It is good.")),
        rf"^{NOTES}, row 3 \(model quokka, scenario notes, case film-3, unit user-3\): was edited$",
    ),
    "a record deleted": (
        "ranked",
        LISTS,
        lambda run: edit(run / LISTS, lambda rows: rows.pop(30)),
        rf"^{LISTS}, row 30: was deleted \(there are \d+ rows now, and were \d+\)$",
    ),
    "a record inserted": (
        "ranked",
        LISTS,
        lambda run: edit(run / LISTS, lambda rows: rows.insert(5, rows[4] | {"case": "made-up"})),
        rf"^{LISTS}, row 5 \(.*case made-up.*\): was inserted$",
    ),
    "records swapped": (
        "ranked",
        LISTS,
        lambda run: edit(run / LISTS, lambda rows: _swap(rows, 2, 40)),
        rf"^{LISTS}, row 2 \(.*\): and row 40 changed places$",
    ),
    "a score": (
        "ranked",
        "scores.parquet",
        lambda run: edit(run / "scores.parquet", _raise_score),
        r"^scores.parquet, row \d+ \(ndcg@10 of popularity in top-k, unit \S+\), value: is not what the"
        r" records give: 0.987 recorded, 0\.\d+ found$",
    ),
    "the reason of a missing score": (
        "written",
        "scores.parquet",
        lambda run: edit(run / "scores.parquet", _reason),
        r"^scores.parquet, row \d+ \(words of gappy in notes, unit user-0\), reason: is not what the records"
        r' give: "left-out" recorded, "no-text" found$',
    ),
    "a score deleted": (
        "ranked",
        "scores.parquet",
        lambda run: edit(run / "scores.parquet", lambda rows: rows.pop(len(rows) - 1)),
        r"^scores.parquet: peeking@10 of random in top-k has no row of unit \S+, which the records give$",
    ),
    "an estimate": (
        "ranked",
        "estimates.json",
        lambda run: edit_json(run / "estimates.json", lambda held: held["estimates"][2].update(value=0.99)),
        r"^estimates.json, estimates\[2\] \(.*top-k.*\), value: is not what the records give: 0.99 recorded",
    ),
    "a verdict": (
        "ranked",
        "estimates.json",
        lambda run: edit_json(
            run / "estimates.json", lambda held: held["verdicts"][0].update(verdict="FAIL")
        ),
        r'^estimates.json, verdicts\[0\] \(Popularity beats.*\), verdict: .*: "FAIL" recorded, "PASS" found$',
    ),
    "an estimate left out": (
        "ranked",
        "estimates.json",
        lambda run: edit_json(run / "estimates.json", lambda held: held["estimates"].pop(4)),
        r"^estimates.json, estimates: is not what the records give: .* recorded, .* found$",
    ),
    "what is relevant in a case": (
        "ranked",
        "cases/top-k.parquet",
        lambda run: edit(run / "cases/top-k.parquet", lambda rows: rows[8].update(truth=[0, 1])),
        r"^cases/top-k.parquet, row 8 \(case .*\): was edited$",
    ),
    "a byte of a payload": (
        "written",
        "blobs/",
        _payload,
        r"^blobs/, row 0 \([0-9a-f]{64}\.png\): was edited$",
    ),
    "a payload deleted": (
        "written",
        "blobs/",
        lambda run: next((run / "blobs").iterdir()).unlink(),
        r"^blobs/, row 0 \([0-9a-f]{64}\.png\): was deleted$",
    ),
    "a judge's verdict": (
        "written",
        "judgements.parquet",
        lambda run: edit(run / "judgements.parquet", lambda rows: rows[6].update(value=5.0, label="5.0")),
        r"^judgements.parquet, row 6 \(model .*judge rules.*\): was edited$",
    ),
    "the report": (
        "ranked",
        "report.html",
        lambda run: (run / "report.html").write_text((run / "report.html").read_text() + " "),
        r"^report.html: is not as it was written",
    ),
    "the seed": (
        "ranked",
        "run.json",
        lambda run: edit_json(run / "run.json", lambda held: held.update(seed=8)),
        r"^run.json, seed: was edited$",
    ),
    "an option of the suite": (
        "ranked",
        "run.json",
        lambda run: edit_json(run / "run.json", lambda held: held["suite"].pop("level")),
        r"^run.json, suite\.level: was deleted$",
    ),
    "a digest in the evidence": (
        "ranked",
        "evidence.json",
        lambda run: edit_json(run / "evidence.json", lambda held: held["pages"][0].update(sha256="0" * 64)),
        r"^evidence.json: was edited: its seal does not fit",
    ),
    "a leaf of the chain": (
        "ranked",
        "chain.parquet",
        lambda run: edit(run / "chain.parquet", lambda rows: rows[70].update(leaf=bytes(32))),
        r"^chain.parquet: its leaves of .* do not give the root that evidence.json states$",
    ),
    "a file gone": (
        "ranked",
        LISTS,
        lambda run: (run / LISTS).unlink(),
        rf"^{LISTS}: is missing$",
    ),
    "a file added": (
        "ranked",
        "records/top-k@popularity.00001.parquet",
        lambda run: (run / "records/top-k@popularity.00001.parquet").write_bytes((run / LISTS).read_bytes()),
        r"^records/top-k@popularity.00001.parquet: was added after the run was scored$",
    ),
    "what scores note of their groups": (
        "ranked",
        "scores.parquet",
        lambda run: _notes(run / "scores.parquet"),
        r"^scores.parquet, row \d+ \(",
    ),
    "a table cut off": (
        "ranked",
        LISTS,
        lambda run: (run / LISTS).write_bytes((run / LISTS).read_bytes()[:900]),
        rf"^{LISTS}: cannot be read as a table \(.*\); it is not the file that was hashed$",
    ),
}


def _notes(path: Path) -> None:
    """The names of the two models, swapped in the notes alone."""
    with pq.ParquetFile(path) as file:
        notes = json.loads(file.metadata.metadata[b"genrec_eval.row_groups"])
        tables = [file.read_row_group(i) for i in range(file.metadata.num_row_groups)]
        schema = file.schema_arrow.remove_metadata()
    other = {"popularity": "random", "random": "popularity"}
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=len(table))
        swapped = [[other[model], scenario, metric] for model, scenario, metric in notes]
        writer.add_key_value_metadata({"genrec_eval.row_groups": json.dumps(swapped)})


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_tampering_is_named(
    what: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    which, file, tamper, place = TAMPERINGS[what]
    run = request.getfixturevalue(which)
    tamper(run)
    before = snapshot(run)
    code, told = said(run, capsys)
    assert code == 1, told
    named = told.splitlines()[0].removeprefix("differs: ")
    assert re.search(place, named), named
    assert named.startswith(file.rstrip("/"))
    assert snapshot(run) == before
    assert "Traceback" not in told


def test_all_differences_of_all_files_and_json(ranked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(ranked / LISTS, lambda rows: [rows[i]["items"].reverse() for i in (1, 4)])
    edit(ranked / "scores.parquet", _raise_score)
    (ranked / "report.html").write_text("")
    code, told = said(ranked, capsys)
    assert code == 1
    assert "more differences" in told
    assert told.count("differs: ") == 1
    code, told = said(ranked, capsys, "--all")
    for part in (f"{LISTS}, row 1 ", f"{LISTS}, row 4 ", "0.987 recorded", "report.html: is not"):
        assert part in told
    code, told = said(ranked, capsys, "--json")
    held = json.loads(told)
    assert (code, held["ok"], held["exit_code"]) == (1, False, 1)
    values = [one for one in held["findings"] if one["recorded"] == 0.987]
    assert [(one["file"], one["column"]) for one in values] == [("scores.parquet", "value")]


def test_evidence_made_anew_does_not_save_a_changed_number(ranked: Path) -> None:
    edit(ranked / "scores.parquet", _raise_score)
    write_chain(RunDirectory.open(ranked))
    seal_pages(ranked)
    assert "0.987 recorded" in first(ranked)
    assert not verify_run(ranked, recompute=False).findings


def test_a_table_written_anew_with_the_same_values_is_a_note(ranked: Path) -> None:
    edit(ranked / "cases/top-k.parquet", lambda rows: None)
    path = ranked / "cases/top-k.parquet"
    pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False)
    done = verify_run(ranked)
    assert not done.findings
    assert done.notes == [
        "cases/top-k.parquet was written anew since: other bytes, the same values in every row"
    ]


def test_what_is_no_part_of_the_evidence_is_said(ranked: Path) -> None:
    (ranked / "review.json").write_text("{}")
    (ranked / "judge-x.html").write_text("x")
    done = verify_run(ranked, recompute=False)
    assert not done.findings
    assert "review.json: it is no part of the evidence" in done.unchecked
    assert "judge-x.html: it was written after the run was sealed" in done.unchecked
    assert not any("lock" in one or "chain" in one.partition(":")[0] for one in done.unchecked)


def test_hashes_alone_run_no_code_of_the_suite(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("scored")

    monkeypatch.setattr(recomputed, "recompute", never)
    done = verify_run(written, recompute=False)
    assert not done.findings
    assert any("as was asked" in one for one in done.unchecked)
    # neither does a run.json that was edited: it says which code that would be
    edit_json(written / "run.json", lambda held: held.update(folder="/elsewhere"))
    done = verify_run(written)
    assert "run.json, folder: was edited" in str(done.findings[0])
    assert any("which names the code" in one for one in done.unchecked)


def test_rounding_by_other_versions_is_said_and_no_difference(
    ranked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nudge(rows: list[dict[str, Any]]) -> None:
        row = rows[_score_row(rows, "ndcg@10", "popularity")]
        row["value"] = row["value"] * (1 + 1e-15) if row["value"] else 0.0

    edit(ranked / "scores.parquet", nudge)
    write_chain(RunDirectory.open(ranked))
    seal_pages(ranked)
    real = recomputed.versions()
    nudged = bool(verify_run(ranked).findings)
    monkeypatch.setattr(recomputed, "versions", lambda: real | {"numpy": "9.9"})
    code, told = said(ranked, capsys)
    assert code == 0, told
    if nudged:
        assert "rounding by other versions (numpy" in told
    edit(ranked / "scores.parquet", _raise_score)
    write_chain(RunDirectory.open(ranked))
    code, told = said(ranked, capsys)
    assert code == 1
    assert "other versions, which may give other numbers: numpy" in told


def test_other_words_of_another_version_are_no_difference(
    ranked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def reword(held: dict[str, Any]) -> None:
        held["verdicts"][0]["reason"] = "as an older version said it"
        held["definitions"]["ndcg@10"]["traps"] = "as an older version said it"

    edit_json(ranked / "estimates.json", reword)
    write_chain(RunDirectory.open(ranked))
    seal_pages(ranked)
    assert verify_run(ranked).findings
    real = recomputed.versions()
    monkeypatch.setattr(recomputed, "versions", lambda: real | {"genrec-eval": "9.9"})
    code, told = said(ranked, capsys)
    assert code == 0, told
    assert "2 reasons and definitions are worded otherwise" in told
    edit_json(ranked / "estimates.json", lambda held: held["verdicts"][0].update(verdict="FAIL"))
    write_chain(RunDirectory.open(ranked))
    assert verify_run(ranked).findings


def test_a_score_changed_by_another_program_is_named_by_its_unit(ranked: Path) -> None:
    path = ranked / "scores.parquet"
    frame = pq.read_table(path).to_pandas()
    row = int(frame.index[(frame["metric"] == "ndcg@10") & (frame["model"] == "random")][3])
    frame.loc[row, "value"] = 0.77
    pq.write_table(pa.Table.from_pandas(frame), path)  # no index of its groups, other types
    found = [one for one in verify_run(ranked, every=True).findings if one.file == "scores.parquet"]
    named = [one for one in found if one.row == row]
    assert any(one.recorded == 0.77 and f"unit {frame.loc[row, 'unit']}" in str(one) for one in named)


@pytest.mark.parametrize(
    ("spoil", "code", "sentence"),
    [
        (lambda run: (run / "run.json").unlink(), 2, "not a run directory"),
        (lambda run: (run / "run.json").write_text("{"), 2, "not valid JSON"),
        (lambda run: (run / "evidence.json").unlink(), 2, "score it again to make it"),
        (lambda run: (run / "chain.parquet").unlink(), 2, "chain.parquet is missing"),
        (lambda run: (run / "chain.parquet").write_bytes(b"PAR1"), 2, "chain.parquet cannot be read"),
        (
            lambda run: edit(run / "chain.parquet", lambda rows: rows.pop()),
            2,
            "one of them was changed or belongs to another run",
        ),
        (
            lambda run: edit_json(run / "run.json", lambda held: held.update(state="playing")),
            3,
            "interrupted",
        ),
        (lambda run: _link(run / LISTS, "/etc/hostname"), 2, "is a link"),
        (lambda run: _link(run / "records", "/etc"), 2, "is a link"),
        (lambda run: _pipe(run / "records" / "top-k@pipe.00000.parquet"), 2, "is no file"),
        (lambda run: (run / "evidence.json").write_bytes(b"\xff\xfe"), 2, "not valid JSON"),
        (lambda run: _link(run / "evidence.json.sig", "/etc/hostname"), 2, "is a link"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(
    ranked: Path, spoil: Callable[[Path], Any], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(ranked)
    found, told = said(ranked, capsys)
    assert found == code, told
    assert sentence in told
    assert "Traceback" not in told
    assert "fault of genrec-eval" not in told


def _link(path: Path, target: str) -> None:
    if path.is_dir():
        path.rename(path.with_name("aside"))
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def test_numbers_that_cannot_be_made_again_are_said(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(json.loads((written / "run.json").read_text())["folder"])
    edit_json(written / "run.json", lambda held: held.update(folder=str(folder / "gone")))
    write_chain(RunDirectory.open(written))
    seal_pages(written)
    code, told = said(written, capsys)
    assert code == 2
    assert "could not be made again from the records: " in told


def test_names_from_strangers_cannot_command_a_terminal(
    ranked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(ranked / LISTS, lambda rows: rows[0].update(case="\x1b[2J[red]u\u202e"))
    code, told = said(ranked, capsys)
    assert code == 1
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "⟨U+202E⟩" in told
    assert "[red]" in told
