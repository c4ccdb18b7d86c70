"""``genrec-eval data``: terms before bytes, a snippet that runs, exit codes that a script can use."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from genrec_eval.cli.main import exit_code
from genrec_eval.data.fetching import fetch

U_DATA = "".join(f"{n % 9 + 1}\t{n % 31 + 1}\t{n % 5 + 1}\t{880000000 + n}\n" for n in range(200))


class Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(zipfile.ZipInfo("ml 100k/u.data"), U_DATA)  # the same bytes whenever asked
        self.send_response(200)
        self.send_header("Content-Length", str(len(made.getvalue())))
        self.end_headers()
        self.wfile.write(made.getvalue())

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A catalogue whose only data set is on this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    entry = {
        "title": "Toy [bold]films[/]",
        "about": "200 ratings",
        "homepage": "https://example.org",
        "licence": {"summary": "For tests only.", "link": "https://example.org/terms"},
        "dataset": "movielens",
        "note": "Not real.",
        "files": [
            {"url": f"http://127.0.0.1:{server.server_port}/ml.zip", "at_most": 10**6, "unpack": "zip"}
        ],
    }
    Path("own.yaml").write_text(yaml.safe_dump({"datasets": {"toy": entry}}))
    yield "own.yaml"
    server.shutdown()
    server.server_close()


def test_the_catalogue_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["data", "list"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if "movielens-100k" in line]
    assert "4.92 MB" in line
    assert "sha256" in line
    assert "Research use only" in line
    assert any("goodbooks-10k" in line and "first use" in line for line in out.splitlines())
    assert any("yelp" in line and "by hand" in line for line in out.splitlines())


def test_one_s_own_catalogue_is_listed(catalogue: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["data", "list", "--catalogue", catalogue]) == 0
    out = capsys.readouterr().out
    assert "toy" in out
    assert "movielens-100k" not in out
    assert Handler.asked == []


def test_the_licence_comes_first_and_must_be_accepted(
    catalogue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["data", "get", "toy", "--catalogue", catalogue]) == 2
    captured = capsys.readouterr()
    assert "licence   For tests only.\n" in captured.out
    assert "https://example.org/terms" in captured.out
    assert "Toy [bold]films[/]" in captured.out
    assert captured.err == (
        "error: the licence of 'toy' must be accepted and there is no terminal to ask at; read it at"
        " https://example.org/terms and say --yes\n"
    )
    assert Handler.asked == []
    assert not Path("data").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("\n", 2), ("y\n", 0)])
def test_at_a_terminal_one_is_asked(
    catalogue: str,
    answer: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert exit_code(["data", "get", "toy", "--catalogue", catalogue]) == code
    captured = capsys.readouterr()
    assert "Do you accept these terms? [y/N]" in captured.out
    if code:
        assert captured.err == "error: the licence of 'toy' was not accepted; nothing is downloaded\n"
        assert Handler.asked == []
        assert not Path("data").exists()
    else:
        assert Path("data/toy/ml 100k/u.data").read_text() == U_DATA


def test_the_snippet_can_be_pasted_and_the_data_checked(
    catalogue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["data", "get", "toy", "--catalogue", catalogue, "--yes", "--to", "sets"]) == 0
    captured = capsys.readouterr()
    snippet = yaml.safe_load(captured.out[captured.out.index("data:\n") :])
    assert snippet == {"data": {"toy": {"dataset": "movielens", "options": {"path": "sets/toy/ml 100k"}}}}
    assert "note: no checksum of ml.zip is documented; it is remembered as sha256 " in captured.err
    suite = {
        "name": "s",
        **snippet,
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {
            "top-k": {"scenario": "top-k", "data": "toy", "options": {"k": 3, "metrics": ["recall@3"]}}
        },
    }
    Path("s.yaml").write_text(yaml.safe_dump(suite))
    assert exit_code(["validate", "s.yaml"]) == 0
    assert exit_code(["data", "check", "sets/toy"]) == 0
    assert exit_code(["data", "get", "toy", "--catalogue", catalogue, "--yes", "--to", "sets"]) == 2
    assert "sets/toy is there already; check it with" in capsys.readouterr().err
    assert (
        exit_code(["data", "get", "toy", "--catalogue", catalogue, "--yes", "--to", "sets", "--replace"]) == 0
    )
    # what is remembered is not told again
    assert "no checksum" not in capsys.readouterr().err


def test_an_interrupt(
    catalogue: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "unpack", stop)
    assert exit_code(["data", "get", "toy", "--catalogue", catalogue, "--yes"]) == 130
    assert capsys.readouterr().err.endswith("interrupted; run the same command again to resume\n")
    assert not Path("data/toy").exists()
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["get", "movielens-10k"], "error: unknown data set 'movielens-10k'; did you mean 'movielens-10"),
        (["get", "yelp", "--yes"], "error: 'yelp' cannot be downloaded by a program. Accept the terms"),
        (
            ["get", "x", "--catalogue", "gone.yaml"],
            "error: gone.yaml: cannot be read: No such file or directory",
        ),
        (["gte"], "error: No such command 'gte'."),
        ([], "Usage: genrec-eval data [OPTIONS] COMMAND [ARGS]..."),
        (["check", "gone"], "error: no such file or folder: gone (from PATH)"),
        (
            ["check", ".", "--dataset", "movielenz"],
            "error: unknown dataset 'movielenz'; did you mean 'movielens'?",
        ),
        (["check", ".", "--dataset", "synthetic"], "error: dataset 'synthetic' reads no files"),
        (
            ["check", ".", "--dataset", "yelp"],
            "holds no yelp_academic_dataset_review.json or *review.json, which",
        ),
        (["check", "."], "holds nothing that is known"),
        (["check", ".", "--dataset", "steam", "--option", "rating"], "--option rating: write key.path=value"),
        (
            ["check", ".", "--dataset", "steam", "--option", "rating=stars"],
            "--option rating: rating: is one of",
        ),
        (
            ["check", ".", "--dataset", "steam", "--option", "ratng=none"],
            "unknown key 'ratng'; did you mean 'rating'?",
        ),
    ],
)
def test_mistakes_get_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(["data", *arguments]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err


def write(rows: list[str], name: str = "log.csv") -> str:
    Path(name).write_text("\n".join(["userId,itemId,rating,timestamp", *rows]) + "\n")
    return name


def test_checking_shows_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write([f"u{n % 4},i{n % 7},{n % 5 + 1},{10**9 + n}" for n in range(28)] + ["u0,i0,9,1000000000"])
    assert exit_code(["data", "check", path]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "log.csv: files, read as dataset: files (interactions: log.csv, columns: " in captured.out
    for line in (
        "duplicates dropped              1",
        "of them with another rating     1",
        "first    2001-09-09T01:46:40Z",
    ):
        assert line in captured.out
    assert "1 rows repeat user, item and time of another, 1 of them with another rating" in captured.out
    assert "1 duplicate rows are dropped, the first of each kept" in captured.out
    assert captured.out.endswith("0 problems that a run would stumble over, 1 to know of\n")


def test_problems_end_with_1_and_are_there_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write([f"u{n % 4},i{n % 7},{n % 5 + 1},{n}" for n in range(28)])
    assert exit_code(["data", "check", path]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM   times-before-1990" in out
    assert exit_code(["data", "check", path, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["dataset"], found["sound"]) == ("genrec-eval/data-check/1", "files", False)
    assert found["counts"]["interactions"] == 28
    assert found["options"]["columns"]["user"] == "userId"
    (wrong,) = [finding for finding in found["findings"] if finding["severity"] == "warning"]
    assert (wrong["name"], wrong["count"], wrong["share"]) == ("times-before-1990", 28, 1.0)


def test_options_reach_the_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.txt").write_text("".join(f"u{n % 4}|i{n % 7}|{1600000000000 + n}\n" for n in range(28)))
    arguments = ["data", "check", "log.txt", "--dataset", "files", "--json"]
    for option in ("names=[who, what, timestamp]", "columns.user=who", "columns.item=what", "delimiter='|'"):
        arguments += ["--option", option]
    assert exit_code(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dates"]["first"] == "2020-09-13T12:26:40Z"
    assert "timestamps are in milliseconds" in found["told"][0]


def test_broken_data_end_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(["u1,i1,3,1000000000", "u1,i2,many,1000000000"])
    assert exit_code(["data", "check", path]) == 2
    assert capsys.readouterr().err == "error: log.csv line 3, column 'rating': 'many' is not a number\n"
    mixed = write(["u1,i1,3,1000000000", "u1,i2,3,1000000000000"])
    assert exit_code(["data", "check", mixed]) == 2
    assert "looks like another unit than" in capsys.readouterr().err


def test_help_of_the_commands_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from genrec_eval.cli.main import exit_code\n"
        "for words in (['data', '--help'], ['data', 'get', '--help'], ['data', 'check', '--help']):\n"
        "    assert exit_code(words) == 0\n"
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
