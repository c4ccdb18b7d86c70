"""Redact: texts are gone for good, their hashes stay, and verify says so."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from chain_tools import edit, edit_json

import genrec_eval
from genrec_eval.api import score
from genrec_eval.audit.chain import redact as module
from genrec_eval.audit.chain.build import seal_pages, write_chain
from genrec_eval.audit.chain.evidence import Evidence, read_root
from genrec_eval.audit.chain.files import pages
from genrec_eval.audit.chain.forgotten import holding
from genrec_eval.audit.chain.redact import RECORD_TEXTS, Wanted, redact
from genrec_eval.audit.chain.verify import verify_run
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import RunDirectory

QUOKKA = "film-1 is a comedy. It is bad."
REASON = "names a person"


def bytes_of(run: Path) -> bytes:
    """Everything in a run, tables as their rows."""
    found = b""
    for path in sorted(run.rglob("*")):
        if path.suffix == ".parquet":
            found += json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
        elif path.suffix == ".gz":
            import gzip

            found += gzip.decompress(path.read_bytes())
        elif path.is_file():
            found += path.read_bytes()
    return found


def command(run: Path, *options: str) -> int:
    return exit_code(["redact", str(run), "--reason", REASON, *options])


def records(run: Path, model: str) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(run / "records" / f"notes@{model}.00000.parquet").to_pylist()
    return {row["case"]: row for row in rows}


def test_the_text_is_gone_from_everywhere_and_the_run_verifies(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert QUOKKA.encode() in bytes_of(written)
    root, before = read_root(written), records(written, "quokka")
    numbers = {
        name: (written / name).read_bytes() for name in ("scores.parquet", "estimates.json", "run.json")
    }
    chain = (written / "chain.parquet").read_bytes()
    assert command(written, "--case", "film-1") == 0
    told = capsys.readouterr()
    assert "redacted: 3 records" in told.out
    assert "1 payloads" in told.out
    assert "still stand" not in told.err
    left = bytes_of(written)
    for text in (QUOKKA, "film-1 is good.", "film-1 is a drama. It is good. Really.", "a picture of film-1"):
        assert text.encode() not in left
    assert list((written / "blobs").iterdir()) == []
    assert not list(written.glob("journal.sqlite-*"))
    # what is not theirs is as it was
    assert {name: (written / name).read_bytes() for name in numbers} == numbers
    assert (written / "chain.parquet").read_bytes() == chain
    after = records(written, "quokka")
    assert {case: row for case, row in after.items() if case != "film-1"} == {
        case: row for case, row in before.items() if case != "film-1"
    }
    row = after["film-1"]
    assert all(row[name] is None for name in RECORD_TEXTS)
    assert row["error"] == f"redacted: {REASON}"
    assert (row["status"], row["key"]) == (before["film-1"]["status"], before["film-1"]["key"])
    now = read_root(written)
    assert root is not None
    assert now is not None
    assert now.root == root.root
    assert now.redacted > 4
    assert REASON in (written / "evidence.json").read_text()
    # the report was written anew and is sealed
    done = verify_run(written)
    assert not done.findings, [str(one) for one in done.findings]
    assert done.exit_code == 0
    assert any(f"but for {now.redacted:,} redacted ones" in one for one in done.checked)
    kept = [one for one in done.unchecked if "depend on redacted texts, and stand as recorded" in one]
    assert any("of quokka in notes" in one for one in kept)
    assert any("made again from the recorded scores: the same" in one for one in done.checked)


def test_models_and_scenarios_narrow_it_and_a_judge_of_several_texts_may_quote_any(written: Path) -> None:
    done = redact(RunDirectory.open(written), Wanted(cases=("film-2",), reason=REASON, model="zanzibar"))
    assert done.records == 1
    assert records(written, "zanzibar")["film-2"]["text"] is None
    assert records(written, "quokka")["film-2"]["text"] is not None
    rows = [
        row for row in pq.read_table(written / "judgements.parquet").to_pylist() if row["case"] == "film-2"
    ]
    gone = {(row["model"], row["task"]) for row in rows if row["raw"] is None}
    assert gone >= {("zanzibar", "pointwise"), ("zanzibar", "pairwise"), ("quokka", "listwise")}
    assert ("quokka", "pointwise") not in gone
    # verdicts are no texts
    assert all(row["value"] is not None for row in rows if row["status"] == "ok")
    told = (
        sqlite3.connect(written / "journal.sqlite")
        .execute("SELECT request, response FROM exchanges")
        .fetchall()
    )
    empty = [request for request, response in told if response is None and request == b'{"redacted":true}']
    assert len(empty) == done.exchanges > 1
    assert len(told) > len(empty)


def test_tampering_is_still_found_in_rows_that_were_and_were_not_redacted(written: Path) -> None:
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason=REASON))
    path = written / "records" / "notes@quokka.00000.parquet"
    good = path.read_bytes()
    edit(path, lambda rows: rows[1].update(text="It is good."))
    assert "row 1 (model quokka" in str(verify_run(written, recompute=False).findings[0])
    path.write_bytes(good)
    edit(path, lambda rows: rows[2].update(text="It is good."))
    assert "row 2 (model quokka" in str(verify_run(written, recompute=False).findings[0])
    path.write_bytes(good)
    edit(path, lambda rows: rows.pop(0))
    assert "row 0: was deleted" in str(verify_run(written, recompute=False).findings[0])
    path.write_bytes(good)

    def other(held: Any) -> None:
        held["redactions"][0]["rows"][0]["leaf"] = "0" * 64

    edit_json(written / "evidence.json", other)
    told = [str(one) for one in verify_run(written).findings]
    assert told[0].startswith("evidence.json: was edited")
    assert any("with another hash than the chain's" in one for one in told)


def test_a_score_of_a_redacted_scenario_cannot_be_changed_either(written: Path) -> None:
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason=REASON))
    edit(written / "scores.parquet", lambda rows: rows[-1].update(value=0.123))
    told = [str(one) for one in verify_run(written).findings]
    assert any(one.startswith("scores.parquet") for one in told)


def test_a_redacted_run_is_closed(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason=REASON))
    before = (written / "scores.parquet").read_bytes()
    with pytest.raises(UsageError, match="cannot be scored again: its scores stay as they were recorded"):
        score(written)
    folder = Path(json.loads((written / "run.json").read_text())["folder"])
    monkeypatch.chdir(folder)
    held = json.loads((written / "run.json").read_text())["suite"]
    suite = {name: held[name] for name in ("name", "models", "scenarios", "judges")}
    with pytest.raises(UsageError, match="would ask for those texts again"):
        genrec_eval.run(suite, out=written, quiet=True)
    assert (written / "scores.parquet").read_bytes() == before
    assert exit_code(["report", str(written)]) == 0
    assert not verify_run(written, recompute=False).findings


def test_twice_is_once_and_more_can_follow(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason=REASON))
    assert command(written, "--case", "film-1") == 0
    first = (written / "evidence.json").read_bytes()
    redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason="again"))
    assert "nothing was left to redact" in capsys.readouterr().out
    assert (written / "evidence.json").read_bytes() == first
    redact(RunDirectory.open(written), Wanted(cases=("film-1", "film-2"), reason="another"))
    seal_pages(written)
    evidence = Evidence.read(written)
    assert [one.reason for one in evidence.redactions] == [REASON, "another"]
    assert records(written, "quokka")["film-1"]["error"] == f"redacted: {REASON}"
    assert records(written, "quokka")["film-2"]["error"] == "redacted: another"
    assert not verify_run(written).findings


@pytest.mark.parametrize("step", ["tables", "journal"])
def test_what_a_crash_leaves_is_named_and_finished(
    written: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(Exception):
        pass

    def crash(*_: Any) -> Any:
        raise Crash

    wanted = Wanted(cases=("film-1",), reason=REASON)
    with monkeypatch.context() as broken:
        if step == "tables":
            broken.setattr(
                Path,
                "replace",
                lambda self, to: crash() if self.parent.name == "records" else _move(self, to),
            )
        else:
            broken.setattr(module, "forget", crash)
        with pytest.raises(Crash):
            redact(RunDirectory.open(written), wanted)
    if step == "tables":
        told = [str(one) for one in verify_run(written).findings]
        assert any("still holds its texts; run the same genrec-eval redact again" in one for one in told)
    assert QUOKKA.encode() in bytes_of(written)
    redact(RunDirectory.open(written), wanted)
    for page in pages(written):  # the command's to write anew
        (written / page).unlink()
    seal_pages(written)
    assert QUOKKA.encode() not in bytes_of(written)
    assert not verify_run(written).findings
    assert len(Evidence.read(written).redactions) == 1


def _move(path: Path, to: Path) -> Path:
    to.unlink(missing_ok=True)
    return path.rename(to)


def test_a_payload_that_others_have_stays(written: Path) -> None:
    name = next((written / "blobs").iterdir()).name
    edit(written / "records" / "notes@quokka.00000.parquet", lambda rows: rows[4].update(blob=name))
    write_chain(RunDirectory.open(written))
    done = redact(RunDirectory.open(written), Wanted(cases=("film-1",), reason=REASON))
    assert (done.payloads, done.shared) == (0, [name])
    assert (written / "blobs" / name).is_file()
    assert not verify_run(written, recompute=False).findings


def test_other_copies_of_the_texts_are_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (written / "sheets").mkdir()
    (written / "sheets" / "ana.csv").write_text(f'1,"{QUOKKA}"\n')
    (written / "judge-rules.html").write_text(QUOKKA)
    (written / "export").mkdir()
    pq.write_table(pq.read_table(written / "judgements.parquet"), written / "export" / "judgements.parquet")
    (written / "evidence.json.sig").write_text("{}")
    assert command(written, "--case", "film-1") == 0
    told = capsys.readouterr()
    assert "the same words still stand in: sheets/ana.csv" in told.err
    assert "may hold the texts: export/judgements.parquet" in told.err
    assert "its signature no longer fits: genrec-eval sign" in told.err
    assert "judge-rules.html" in told.out
    assert not (written / "judge-rules.html").exists()
    assert holding(written, {QUOKKA}) == ["sheets/ana.csv"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--case", "film-11"], "has no record of the case 'film-11'; did you mean 'film-1'?"),
        (["--case", "film-1", "--model", "quoka"], "has no model 'quoka'; did you mean 'quokka'?"),
        (["--case", "film-1", "--scenario", "note"], "has no scenario 'note'; did you mean 'notes'?"),
        (["--case", "film-1", "--reason", "  "], "say why with --reason"),
    ],
)
def test_what_is_not_there_is_a_sentence_and_nothing_is_changed(
    written: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bytes_of(written)
    assert command(written, *options) == 2
    assert sentence in capsys.readouterr().err
    assert bytes_of(written) == before


def test_a_tampered_run_is_not_redacted(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(written / "records" / "notes@quokka.00000.parquet", lambda rows: rows[1].update(text="It is good."))
    before = bytes_of(written)
    assert command(written, "--case", "film-1") == 2
    assert "is not redacted before that is cleared up" in capsys.readouterr().err
    assert bytes_of(written) == before
    (written / "evidence.json").unlink()
    assert command(written, "--case", "film-1") == 2
    assert "score it again to make it" in capsys.readouterr().err
