"""What happens to a run directory: full disk, other versions, two writers, Ctrl-C, budgets, secrets."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop, flat

CASES = 35
NOTE = "open('asked.txt', 'a').write(user + '\\n')"


def counting(shop: Workshop, before: str = "", **keys: Any) -> dict[str, Any]:
    """A model that writes down whom it was asked about."""
    return shop.python(
        f"def recommend(user, history, k):\n    {before or 'pass'}\n    {NOTE}\n    return []\n", **keys
    )


def asked(shop: Workshop) -> list[str]:
    path = shop.folder / "asked.txt"
    return path.read_text().split() if path.exists() else []


def limited(size: int) -> Any:
    """Let the child write no file beyond ``size`` bytes: what a full disk is to a program."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full(said: Any, file: str) -> None:
    assert said.code == 3
    assert re.search(
        rf"cannot write to \S*{re.escape(file)} \(.+\); everything answered before is kept: ", said.sentence()
    )
    assert said.err.rstrip().endswith("make room and run the same command again to resume")


def test_a_disk_that_is_full_for_the_journal(shop: Workshop) -> None:
    shop.suite({"mine": counting(shop)}, engine={"limit": 1})
    full(shop.shell(preexec_fn=limited(60_000)), "journal.sqlite")
    done = len(asked(shop))
    assert 1 < done < CASES
    assert len(shop.journal()) == done - 1
    assert shop.again().code == 0
    assert len(asked(shop)) == CASES + 1  # the one whose answer could not be written
    assert shop.coverage()["statuses"] == {"ok": CASES}


@pytest.mark.parametrize(
    ("size", "file"),
    [(1_000, "run.json"), (9_000, "journal.sqlite"), (45_000, "records/top-k@mine.00000.parquet")],
)
def test_a_disk_that_is_full_elsewhere(shop: Workshop, size: int, file: str) -> None:
    lists = "[[str(random.random()) for _ in range(300)] for _ in range(len(batch))]"
    batch = f"import random\ndef recommend(batch):\n    return {lists}\n"
    shop.suite({"mine": shop.python(batch, batch=True)})
    full(shop.shell(preexec_fn=limited(size)), file)
    assert shop.again().code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}


def test_a_disk_that_is_full_for_the_report_alone(shop: Workshop) -> None:
    assert shop.run().code == 0
    report = shop.report.encode()
    estimates = (shop.run_directory / "estimates.json").read_bytes()
    words = [sys.executable, "-m", "genrec_eval.cli.main", "score", str(shop.run_directory)]
    size = len(report) - 1000
    assert size > len(estimates)
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limited(size))
    assert done.returncode == 3
    assert "cannot write to" in done.stderr
    assert "report.html (File too large)" in done.stderr
    assert not list(shop.run_directory.glob("*report*"))  # neither half a report nor an old one
    assert shop.cli("score", shop.run_directory).code == 0
    assert (shop.run_directory / "report.html").read_bytes() == report
    assert (shop.run_directory / "estimates.json").read_bytes() == estimates


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1.5 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", place], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_really_full(shop: Workshop, small_disk: Path) -> None:
    shop.run_directory = small_disk / "out"
    shop.suite({"mine": counting(shop)}, engine={"limit": 1})
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 1_380_000)
    full(shop.shell(), "journal.sqlite")
    done = len(asked(shop))
    assert 1 < done < CASES
    filler.unlink()
    assert shop.again().code == 0
    assert len(asked(shop)) == CASES + 1
    assert shop.coverage()["statuses"] == {"ok": CASES}


@pytest.mark.parametrize("command", ["run", "score", "report"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": None}, "was written by an older, unreleased version of genrec-eval"),
        ({"format": 99}, "was written by a newer version of genrec-eval (format 99, this one reads up to 1)"),
    ],
)
def test_a_run_directory_of_another_version(
    shop: Workshop, command: str, change: dict[str, Any], sentence: str
) -> None:
    assert shop.run().code == 0
    file = shop.run_directory / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **change}))
    before = {path: path.read_bytes() for path in shop.run_directory.rglob("*") if path.is_file()}
    said = shop.again() if command == "run" else shop.cli(command, shop.run_directory)
    assert said.code == 2
    assert sentence in said.sentence()
    assert {path: path.read_bytes() for path in before} == before
    if command == "run":
        assert shop.again("--fresh").code == 0
        assert (shop.folder / "out~1" / "journal.sqlite").read_bytes() == before[
            file.with_name("journal.sqlite")
        ]


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("run.json", b"{", "is not valid JSON"),
        ("journal.sqlite", b"not a database at all" * 99, "journal.sqlite"),
        ("notes.txt", b"mine", "holds other files and is not a run directory; choose another --out"),
    ],
)
def test_a_directory_that_is_damaged_or_foreign(
    shop: Workshop, file: str, content: bytes, sentence: str
) -> None:
    if file != "notes.txt":
        assert shop.run().code == 0
    else:
        shop.suite()
        shop.run_directory.mkdir()
    for extra in ("-wal", "-shm"):
        (shop.run_directory / f"{file}{extra}").unlink(missing_ok=True)
    (shop.run_directory / file).write_bytes(content)
    said = shop.again()
    assert said.code == 2
    assert sentence in said.sentence()
    assert (shop.run_directory / file).read_bytes() == content


def test_a_damaged_estimates_file_is_written_anew(shop: Workshop) -> None:
    assert shop.run().code == 0
    path = shop.run_directory / "estimates.json"
    good = path.read_bytes()
    path.write_bytes(good[:100])
    said = shop.cli("report", shop.run_directory)
    assert said.code == 2
    assert "estimates.json" in said.sentence()
    assert shop.cli("score", shop.run_directory).code == 0
    assert path.read_bytes() == good


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.stderr.read()  # type: ignore[union-attr]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(shop: Workshop, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        shop.command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shop.folder,
        start_new_session=True,
    )


def test_two_runs_in_one_directory(shop: Workshop) -> None:
    wait = "import pathlib, time\n    while not pathlib.Path('go').exists(): time.sleep(0.01)"
    shop.suite(
        {"mine": shop.python(f"def recommend(user, history, k):\n    {NOTE}\n    {wait}\n    return []\n")}
    )
    first = started(shop)
    wait_for(lambda: asked(shop), first)
    for words in ([], ["--fresh"]):
        said = shop.again(*words)
        assert said.code == 2
        sentence = f"another genrec-eval is writing to {shop.run_directory}; wait for it to end, or choose"
        assert sentence in said.sentence()
    said = shop.cli("score", shop.run_directory)
    assert said.code == 2
    assert "another genrec-eval is writing" in said.sentence()
    (shop.folder / "go").touch()
    assert first.wait(30) == 0
    first.communicate()
    assert len(asked(shop)) == CASES
    assert shop.coverage()["statuses"] == {"ok": CASES}


def test_a_directory_that_cannot_be_locked(shop: Workshop) -> None:
    assert shop.run().code == 0
    (shop.run_directory / "lock").unlink(missing_ok=True)
    (shop.run_directory / "lock").mkdir()
    for said in (shop.again(), shop.cli("score", shop.run_directory)):
        assert said.code == 2
        assert f"cannot write to {shop.run_directory} (Is a directory)" in said.sentence()


@pytest.mark.parametrize("kind", ["python", "batch", "process"])
def test_ctrl_c_keeps_what_was_answered(shop: Workshop, kind: str) -> None:
    wait = "import time; time.sleep(0.05)"
    if kind == "python":
        model = counting(shop, wait)
    elif kind == "batch":
        body = "open('asked.txt', 'a').write('x\\n')\n    import time\n    time.sleep(0.3)\n"
        model = shop.python(
            f"def recommend(batch):\n    {body}    return [['i001']] * len(batch)\n", batch=True
        )
    else:
        (shop.folder / "child.py").write_text(
            "import json, sys, time\nfor line in sys.stdin:\n"
            "    asked = json.loads(line)\n    time.sleep(0.05)\n"
            "    open('asked.txt', 'a').write('x\\n')\n"
            "    print(json.dumps({'id': asked['id'], 'items': []}), flush=True)\n"
        )
        model = {"adapter": "process", "command": [sys.executable, "child.py"]}
    shop.suite({"mine": model}, engine={"chunk": 9, "limit": 1})
    process = started(shop)
    wait_for(lambda: len(asked(shop)) >= 2, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    *progress, last = err.strip().splitlines()
    assert last == "interrupted; run the same command again to resume"
    assert all(line.startswith("top-k · mine: ") for line in progress), err
    assert out == ""
    done = len(asked(shop))
    said = shop.cli("score", shop.run_directory)
    assert said.code == 2
    assert "was interrupted while it was played; run the suite again to finish it" in said.sentence()
    assert shop.again().code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}
    whole = 4 if kind == "batch" else CASES
    assert whole <= len(asked(shop)) <= whole + 1  # the one in flight may be asked again
    assert done < whole


def test_a_budget_that_is_reached_and_raised(shop: Workshop) -> None:
    claim = {"claim": "c", "scenario": "top-k", "metric": "recall@3", "model": "mine", "at_most": 1}
    models = {"mine": counting(shop)}
    said = shop.run(models, engine={"budget": {"calls": 10}}, claims=[claim])
    assert said.code == 3
    row = shop.coverage()
    assert (row["state"], row["attempted"]) == ("partial", 10)
    assert row["statuses"] == {"not_attempted": CASES - 10, "ok": 10}
    sentence = "budget of 10 calls reached; raise engine.budget.calls and run again to go on"
    assert f"10 of {CASES} cases played: {sentence}" in row["reason"]
    assert sentence in flat(said.out)
    assert sentence in flat(said.err)
    assert sentence in shop.report
    assert shop.run(models, engine={"budget": {"calls": 10}}, claims=[claim]).code == 3
    assert len(asked(shop)) == 10  # the same budget buys nothing more
    assert shop.run(models, engine={"budget": {"calls": CASES}}, claims=[claim]).code == 0
    assert sorted(set(asked(shop))) == sorted(asked(shop))
    assert len(asked(shop)) == CASES


SECRET = "s3cr3t/Ключ+with\\odd=chars&%41"


def test_a_secret_reaches_no_file_and_no_output(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    from genrec_eval.serving.run import serve_in_thread

    monkeypatch.setenv("GENREC_TEST_SECRET", "plain-s3cr3t-0123456789")
    monkeypatch.setenv("GENREC_TEST_ODD", SECRET)
    reference, odd = "${env:GENREC_TEST_SECRET}", "${env:GENREC_TEST_ODD}"
    # Models that say the secret back: in an error, in a list, in the last words and as an answer.
    (shop.folder / "child.py").write_text(
        "import json, os, sys\nkey = os.environ['KEY']\nfor number, line in enumerate(sys.stdin):\n"
        "    asked = json.loads(line)\n"
        "    say = lambda **told: print(json.dumps({'id': asked['id'], **told}), flush=True)\n"
        "    if number % 4 == 0: say(error='bad key ' + key)\n"
        "    elif number % 4 == 1: say(items=[key])\n"
        "    elif number % 4 == 2: print('not JSON: ' + key, flush=True)\n"
        "    else: sys.exit('wrong key ' + key)\n"
    )
    child = {"adapter": "process", "command": [sys.executable, "child.py"]}
    with serve_in_thread(api_key="another-key") as server:
        models = {
            "mine": {**child, "env": {"KEY": reference}},
            "odd": {**child, "env": {"KEY": odd}},
            "http": {
                "adapter": "http",
                "url": f"{server.url}/rank",
                "headers": {"authorization": f"Bearer {reference}"},
            },
            "query": {"adapter": "http", "url": f"{server.url}/rank?key={reference}"},
            "llm": {
                "adapter": "openai",
                "base_url": f"{server.url}/v1",
                "model": "echo",
                "api_key": reference,
                "recommender": {"prompt": "rank-list"},
            },
        }
        shop.suite(models, engine={"retries": 0})
        said = shop.shell()
    assert said.code == 3
    assert "bad key ${env:GENREC_TEST_SECRET}" in flat(said.out)
    forms = {SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], "s3cr3t"}
    assert not any(form in said.text for form in forms)
    seen = 0
    for path in shop.run_directory.rglob("*"):
        if not path.is_file():
            continue
        assert "s3cr3t" not in path.name
        for form in forms:
            assert form.encode() not in path.read_bytes(), path
            assert form.encode("utf-16-le") not in path.read_bytes(), path
        if path.suffix == ".parquet":  # compressed: its bytes show nothing
            import pyarrow.parquet as pq

            text = str(pq.read_table(path).to_pylist()) + str(pq.read_schema(path).metadata)
            seen += text.count("GENREC_TEST_SECRET")
            assert "s3cr3t" not in text, path
    assert seen > 0
    assert "GENREC_TEST_SECRET" in str(shop.journal())
