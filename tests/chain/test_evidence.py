"""Evidence: roots by hand, the same bytes again, what is in it and what is not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_tools import encode, head

import genrec_eval
from genrec_eval.api import score
from genrec_eval.audit.chain.evidence import Evidence, read_root
from genrec_eval.audit.chain.leaves import entries
from genrec_eval.audit.chain.located import changes
from genrec_eval.core.errors import UsageError


def leaves_by_hand(path: Path, per_leaf: int = 1) -> list[bytes]:
    table = pq.read_table(path)
    start, rows = head(table.column_names), table.to_pylist()
    blocks = [rows[i : i + per_leaf] for i in range(0, len(rows), per_leaf)]
    return [
        hashlib.sha256(start + b"".join(encode(list(r.values())) for r in block)).digest() for block in blocks
    ]


def json_by_hand(path: Path) -> list[bytes]:
    found = []
    for name, value in entries(json.loads(path.read_text())).items():
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        found.append(hashlib.sha256(head(["name", "value"]) + encode([name, text])).digest())
    return found


def notes_by_hand(path: Path) -> str:
    with pq.ParquetFile(path) as file:
        held = file.metadata
        notes = {k.decode(): v.decode() for k, v in (held.metadata or {}).items() if k != b"ARROW:schema"}
        groups = [held.row_group(i).num_rows for i in range(held.num_row_groups)]
    if not notes:
        return "-"
    text = json.dumps(
        {"notes": notes, "row_groups": groups}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def test_every_root_by_hand(written: Path) -> None:
    evidence = json.loads((written / "evidence.json").read_text())
    lines, chain = [], b""
    for file in evidence["files"]:
        name = file["name"]
        if name == "blobs/":
            rows = sorted(
                (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
                for path in (written / name).iterdir()
            )
            leaves = [hashlib.sha256(head(["name", "sha256"]) + encode(list(row))).digest() for row in rows]
            n, notes = len(rows), "-"
        elif name.endswith(".json"):
            leaves, notes = json_by_hand(written / name), "-"
            n = len(leaves)
        else:
            leaves, notes = leaves_by_hand(written / name, file["per_leaf"]), notes_by_hand(written / name)
            n = pq.read_metadata(written / name).num_rows
        top = f"genrec-eval/file/1\n{name}\n{n}\n{file['per_leaf']}\n{notes}\n".encode()
        root = hashlib.sha256(top + b"".join(leaves)).hexdigest()
        assert (file["rows"], file["root"]) == (n, root), name
        lines.append(f"{name} {root}\n")
        chain += b"".join(leaves)
        if name != "blobs/":
            assert file["sha256"] == hashlib.sha256((written / name).read_bytes()).hexdigest()
            assert file["bytes"] == (written / name).stat().st_size
    assert (
        evidence["root"]
        == hashlib.sha256(("genrec-eval/run/1\n" + "".join(sorted(lines))).encode()).hexdigest()
    )
    assert b"".join(pq.read_table(written / "chain.parquet").column("leaf").to_pylist()) == chain
    names = {file["name"] for file in evidence["files"]}
    assert names == {
        "run.json",
        "cases/notes.parquet",
        *(f"records/notes@{model}.00000.parquet" for model in ("zanzibar", "quokka", "gappy")),
        "blobs/",
        "judgements.parquet",
        "scores.parquet",
        "estimates.json",
    }
    assert {page["name"] for page in evidence["pages"]} >= {"report.html"}
    assert "not authenticity" in evidence["statement"]
    root = read_root(written)
    assert root is not None
    assert (root.root, root.signed, root.redacted) == (evidence["root"], False, 0)


def test_scoring_again_gives_the_same_bytes_and_changes_nothing_else(ranked: Path) -> None:
    before = {name: (ranked / name).read_bytes() for name in ("run.json", "chain.parquet", "scores.parquet")}
    root = read_root(ranked)
    first = (ranked / "evidence.json").read_bytes()
    score(ranked)
    assert (ranked / "evidence.json").read_bytes() == first
    assert read_root(ranked) == root
    assert {name: (ranked / name).read_bytes() for name in before} == before


def test_a_new_play_takes_the_evidence_with_it(ranked: Path) -> None:
    (ranked / "evidence.json.sig").write_text("{}")
    from genrec_eval.engine.rundir import RunDirectory

    RunDirectory.open(ranked).begin([])
    assert not {"evidence.json", "chain.parquet", "evidence.json.sig"} & {
        path.name for path in ranked.iterdir()
    }


def test_no_evidence_is_none_and_a_broken_one_is_a_sentence(ranked: Path) -> None:
    path = ranked / "evidence.json"
    held = json.loads(path.read_text())
    path.unlink()
    assert read_root(ranked) is None
    with pytest.raises(UsageError, match="score it again to make it: genrec-eval score"):
        Evidence.read(ranked)
    wrong = [
        ("{", "not valid JSON"),
        ("[]", "no evidence of a run"),
        (
            json.dumps(held | {"schema": "genrec-eval/evidence/2"}),
            "newer version .* pip install -U genrec-eval",
        ),
        (json.dumps(held | {"recipe": 2}), "newer version"),
        (json.dumps(held | {"extra": 1}), "not as 'genrec-eval score' writes it: extra"),
        (json.dumps(held | {"root": "x"}), "root"),
        (
            json.dumps(held | {"files": [held["files"][0] | {"name": "../../etc/passwd"}]}),
            "is no file of a run",
        ),
        (
            json.dumps(held | {"files": [held["files"][0] | {"name": "cases/../../x.parquet"}]}),
            "is no file of a run",
        ),
        (json.dumps(held | {"files": [held["files"][0] | {"name": "/etc/passwd"}]}), "is no file of a run"),
        (json.dumps(held | {"files": [held["files"][0] | {"rows": 10**30}]}), "rows"),
        (json.dumps(held | {"files": [held["files"][0] | {"rows": -1}]}), "rows"),
        (json.dumps(held | {"files": [held["files"][0] | {"per_leaf": 0}]}), "per_leaf"),
        (json.dumps(held | {"pages": [{"name": "../x.html", "bytes": 1, "sha256": "0" * 64}]}), "pages"),
        ("[" * 5000, "not valid JSON"),
    ]
    for text, said in wrong:
        path.write_text(text)
        with pytest.raises(UsageError, match=said) as caught:
            Evidence.read(ranked)
        assert "\n" not in str(caught.value)
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="is a link"):
        Evidence.read(ranked)


def test_changes_are_placed() -> None:
    def rows(text: str) -> np.ndarray:
        return np.array([[ord(letter)] * 32 for letter in text], np.uint8).reshape(-1, 32)

    def told(old: str, new: str) -> str:
        return " ".join(f"{change.what[0]}{change.row}" for change in changes(rows(old), rows(new)))

    assert told("abcdef", "abcdef") == ""
    assert told("abcdef", "abXdef") == "e2"
    assert told("abcdef", "abdef") == "d2"
    assert told("abcdef", "abcXdef") == "i3"
    assert told("abcdef", "aecdbf") == "m1 m4"
    assert told("abcdef", "aXcdf") == "e1 d4"
    assert told("abcdef", "bcdefg") == "d0 i5"
    assert told("aabb", "aaabb") == "i2"
    assert told("aabb", "abb") == "d1"
    assert told("", "ab") == "i0 i1"
    assert told("ab", "") == "d0 d1"
    assert told("abcdef", "bcdefa") == "m0 m1 m2 m3 m4 m5"


def test_names_of_json_entries() -> None:
    assert list(entries({"a": {}, "b": [], "c": {"d": {"e": 1}}, "f": [1, 2], "g": None})) == [
        "a",
        "b",
        "c.d",
        "f[0]",
        "f[1]",
        "g",
    ]
    assert entries([1]) == {"": [1]}


def test_a_run_without_blobs_or_judgements_has_none_in_its_chain(ranked: Path) -> None:
    names = [file.name for file in Evidence.read(ranked).files]
    assert names[0] == "run.json"
    assert names[-2:] == ["scores.parquet", "estimates.json"]
    assert not {"blobs/", "judgements.parquet", "journal.sqlite"} & set(names)
    leaf = pq.read_schema(ranked / "chain.parquet").field("leaf").type
    assert leaf == pa.binary(32)
    assert genrec_eval.load_run(ranked).estimates is not None
