"""Judging in whole runs: stored before any policy, never asked twice, redone offline to the same bytes."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import judging_workshop
import pandas as pd
import pyarrow.parquet as pq
import pytest

import genrec_eval
from genrec_eval.api import Run
from genrec_eval.core.errors import Exit, UsageError

HERE = Path(judging_workshop.__file__).parent
JUDGED = "rubric_score(judge=rules,rubric=helpfulness)"
WINS = "win_rate(against=quokka,judge=rules,rubric=helpfulness)"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the workshop in it, as a suite's own would be; judges keep a log of what they see."""
    (tmp_path / "judging_workshop.py").write_text(Path(judging_workshop.__file__).read_text())
    (tmp_path / "judge.log").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seen(folder: Path) -> list[list[str]]:
    """The prompts that judges got, in order."""
    return [json.loads(line) for line in (folder / "judge.log").read_text().splitlines()]


def asking(*judging: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The suite with these questions; without the writer that leaves gaps."""
    found = copy.deepcopy(judging_workshop.suite(**changes))
    found["scenarios"]["notes"]["judging"] = list(judging)
    found["models"].pop("gappy", None)
    return found


def play(suite: dict[str, Any], out: Path) -> Run:
    return genrec_eval.run(suite, out=out, quiet=True, report=False)


def judgements(run: Run) -> pd.DataFrame:
    return run.judgements


def value(run: Run, metric: str, model: str) -> float | None:
    rows = run.estimates.query("metric == @metric and model == @model and slice == 'all'")
    (found,) = rows[rows.baseline.isna()]["value"]
    return None if pd.isna(found) else float(found)


POINT = {"judge": "rules", "rubric": "helpfulness"}
PAIR = {**POINT, "task": "pairwise", "against": "quokka"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """One run with every kind of question, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "judging_workshop.py").write_text(Path(judging_workshop.__file__).read_text())
    (folder / "judge.log").touch()
    before = Path.cwd()
    os.chdir(folder)
    try:
        suite = judging_workshop.suite()
        suite["claims"] = [
            {"claim": "better", "scenario": "notes", "metric": WINS, "model": "zanzibar", "at_least": 0.5}
        ]
        yield folder, play(suite, folder / "run")
    finally:
        os.chdir(before)


def test_every_kind_of_task_comes_to_a_figure(whole: tuple[Path, Run]) -> None:
    _, run = whole
    assert value(run, JUDGED, "zanzibar") == 5
    assert value(run, JUDGED, "quokka") == 2
    assert value(run, WINS, "zanzibar") == 1
    assert value(run, "judge_rank(judge=rules,rubric=helpfulness)", "quokka") == 1
    supported = value(run, "claim_support(judge=rules,rubric=faithfulness)", "zanzibar")
    words = [
        i + 2 for i in range(6)
    ]  # "film-i is a drama." is supported, "It is good." and "Really." are not
    assert supported == pytest.approx(sum(1 / n for n in words) / 6)
    assert set(run.estimates.query("metric == @WINS")["slice"]) == {"all", "parity=even", "parity=odd"}
    (claim,) = run.results.verdicts
    assert claim.verdict == "PASS"


def test_judgements_are_stored_as_they_were_read(whole: tuple[Path, Run]) -> None:
    _, run = whole
    table = judgements(run)
    asked = table.query("status == 'ok'")
    assert asked["key"].notna().all()
    assert asked["raw"].str.startswith("{").all()
    absent = table.query("model == 'gappy' and status == 'not_asked'")
    assert set(absent["reason"]) == {"no-text"}
    assert set(absent["case"]) == {"film-0", "film-3"}
    kept = run.directory.run["judges"]["rules"]
    assert kept["policy"].startswith("dialect:json|orders:both")
    assert kept["dialect"]["version"] >= 1
    assert [played["task"] for played in kept["played"]] == ["pointwise", "pairwise", "listwise", "claims"]
    assert kept["played"][1]["statuses"] == {"not_asked": 4, "ok": 20}
    assert set(run.directory.run["rubrics"]) == {"helpfulness", "faithfulness"}


def test_no_prompt_names_a_model(whole: tuple[Path, Run]) -> None:
    folder, _ = whole
    prompts = seen(folder)
    assert len(prompts) == 16 + 20 + 6 + 16
    for name in ("zanzibar", "quokka", "gappy"):
        assert not any(name in message for prompt in prompts for message in prompt)


def test_scoring_again_gives_the_same_bytes(whole: tuple[Path, Run]) -> None:
    from genrec_eval.api import score

    folder, run = whole
    files = ("scores.parquet", "estimates.json", "judgements.parquet")
    before = {name: (run.path / name).read_bytes() for name in files}
    asked = len(seen(folder))
    score(run.path)
    assert {name: (run.path / name).read_bytes() for name in files} == before
    assert len(seen(folder)) == asked


def test_a_judge_that_says_nothing_of_the_order_is_asked_in_both(workshop: Path) -> None:
    pair = {**PAIR, "judge": "slot"}
    run = play(asking(pair), workshop / "run")
    metric = WINS.replace("rules", "slot")
    assert value(run, metric, "zanzibar") == 0.5
    suite = asking(pair)
    suite["judges"]["slot"]["orders"] = "given"
    assert value(play(suite, workshop / "run"), metric, "zanzibar") == 1.0


def test_other_policies_ask_the_judge_nothing_again(workshop: Path) -> None:
    suite = asking({**POINT, "judge": "mumble"}, {**PAIR, "judge": "mumble"})
    suite["judges"]["mumble"] |= {"repeats": 2, "min_coverage": 0}
    metric = JUDGED.replace("rules", "mumble")
    wins = WINS.replace("rules", "mumble")
    run = play(suite, workshop / "run")
    asked = len(seen(workshop))
    assert value(run, metric, "zanzibar") == 5
    assert run.estimates.query("metric == @metric and model == 'zanzibar' and slice == 'all'")["n"].max() == 3
    for policy, expected in (
        ({"on_unparsed": "loss"}, (3.0, 0.5)),
        ({"on_unparsed": "exclude", "min_coverage": 0.6}, (None, None)),
        ({"on_unparsed": "exclude", "orders": "given", "repeats": 1, "combine": "majority"}, (5.0, 1.0)),
    ):
        again = copy.deepcopy(suite)
        again["judges"]["mumble"] |= policy
        run = play(again, workshop / "run")
        assert (value(run, metric, "zanzibar"), value(run, wins, "zanzibar")) == expected
        assert len(seen(workshop)) == asked
    again["judges"]["mumble"]["on_unparsed"] = "raise"
    with pytest.raises(UsageError, match="judge 'mumble' gave no verdict on case 'film-1'"):
        play(again, workshop / "run")


def test_coverage_says_what_has_no_verdict(workshop: Path) -> None:
    suite = asking({**POINT, "judge": "mumble"})
    run = play(suite, workshop / "run")
    (said, _) = run.coverage["remark"]
    assert said == (
        "judge mumble: 3 of 6 judgements have no verdict: 3 unparsed (most often: no JSON object with the key"
        " 'score'); there is no figure below min_coverage 0.95 (pointwise, helpfulness)"
    )
    found = run.estimates.query("model == 'zanzibar' and slice == 'all' and metric != 'words'").iloc[0]
    assert found["excluded"] == {"judge-coverage": 6}
    assert pd.isna(found["value"])


def test_texts_that_a_judge_was_not_shown_whole_are_counted(workshop: Path) -> None:
    with (workshop / "judging_workshop.py").open("a") as stream:
        stream.write("\n\ndef zanzibar(request: ChatRequest) -> str:\n    return 'good ' * 20_000\n")
    run = play(asking(POINT), workshop / "run")
    assert run.directory.run["judges"]["rules"]["played"][0]["texts_cut"] == 6
    assert value(run, JUDGED, "zanzibar") == 5


def test_panels_and_their_agreement(workshop: Path) -> None:
    run = play(asking({**POINT, "judge": ["rules", "slot"]}), workshop / "run")
    assert value(run, "rubric_score(judge=rules+slot,rubric=helpfulness)", "zanzibar") == 4
    named = "panel_agreement(judge=rules+slot,one=rules,rubric=helpfulness)"
    assert value(run, named, "zanzibar") == 0.5
    assert value(run, named, "quokka") == 0.75


def test_a_sample_of_cases_is_judged_and_the_others_are_counted(workshop: Path) -> None:
    run = play(asking({**POINT, "limit": 4}), workshop / "run")
    assert judgements(run).groupby("model", observed=True)["case"].nunique().tolist() == [4, 4]
    found = run.estimates.query("metric == @JUDGED and slice == 'all' and model == 'quokka'").iloc[0]
    assert (found["n"], found["excluded"]) == (4, {"not-judged": 2})


def test_controlled_for_a_metric_of_the_scenario(workshop: Path) -> None:
    suite = asking({**PAIR, "control": ["length", "words"]})
    suite["scenarios"]["notes"]["options"] = {"cases": 24}
    run = play(suite, workshop / "run")
    assert "controlled_win_rate(against=quokka,for=length+words,judge=rules,rubric=helpfulness)" in set(
        run.estimates["metric"]
    )


def test_a_spent_budget_leaves_the_run_incomplete_and_is_gone_on_from(workshop: Path) -> None:
    suite = asking(POINT, engine={"budget": {"calls": 12 + 7}, "limit": 1})
    run = play(suite, workshop / "run")
    assert run.exit_code == Exit.INCOMPLETE
    assert set(run.coverage["state"]) == {"run", "partial"}
    assert "judge rules answered 1 of 6 judgements: budget of 19 calls reached" in run.coverage["reason"][1]
    lost = judgements(run).query("status == 'not_asked'")
    assert len(lost) == 5
    assert lost["reason"].str.startswith("budget of 19 calls").all()
    found = run.estimates.query("metric == @JUDGED and model == 'quokka' and slice == 'all'").iloc[0]
    assert found["excluded"] == {"judge-coverage": 6}
    suite["engine"] = {}
    again = play(suite, workshop / "run")
    assert again.exit_code == Exit.PASS
    assert len(seen(workshop)) == 12
    assert value(again, JUDGED, "quokka") == 2


def test_a_judge_that_cannot_be_reached_is_an_incomplete_run_not_a_crash(workshop: Path) -> None:
    suite = asking(POINT)
    suite["judges"]["rules"]["model"] |= {"target": "judging_workshop.py:broken"}
    with (workshop / "judging_workshop.py").open("a") as stream:
        stream.write(
            "\n\ndef broken(request: ChatRequest) -> str:\n    raise RuntimeError('no judge today')\n"
        )
    run = play(suite, workshop / "run")
    assert run.exit_code == Exit.INCOMPLETE
    assert set(judgements(run)["status"]) == {"api_error"}
    assert judgements(run)["reason"][0].startswith("error: RuntimeError: no judge today")
    assert value(run, JUDGED, "quokka") is None


def test_secrets_are_scrubbed_from_what_judges_write(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_KEY", "hunter2-hunter2")
    from genrec_eval.core.secrets import expand

    expand("${env:NOTES_KEY}")
    suite = asking(POINT)
    suite["judges"]["rules"]["model"] |= {"target": "judging_workshop.py:leaky"}
    with (workshop / "judging_workshop.py").open("a") as stream:
        stream.write("\n\ndef leaky(request: ChatRequest) -> str:\n    return 'the key is hunter2-hunter2'\n")
    run = play(suite, workshop / "run")
    assert judgements(run)["raw"].notna().all()
    for path in run.path.rglob("*"):
        if path.is_file():
            assert b"hunter2-hunter2" not in path.read_bytes(), path
    assert not judgements(run)["raw"].str.contains("hunter2").any()


def test_without_judging_there_is_no_table_of_judgements(workshop: Path) -> None:
    run = play(asking(POINT), workshop / "run")
    assert (run.path / "judgements.parquet").exists()
    run = play(asking(), workshop / "run")
    assert not (run.path / "judgements.parquet").exists()
    assert run.judgements.empty
    assert "judges" not in run.directory.run


def test_the_judge_may_move_to_an_endpoint_and_says_the_same(workshop: Path) -> None:
    from genrec_eval.serving.faults import Faults
    from genrec_eval.serving.run import serve_in_thread

    suite = asking(POINT, PAIR, {**POINT, "rubric": "faithfulness", "task": "claims"})
    suite["judges"]["rules"]["model"] = {"adapter": "reference", "model": "rubric-judge"}
    columns = ["model", "other", "case", "task", "order", "claim", "status", "value", "label", "raw"]
    here = play(suite, workshop / "here")
    assert set(judgements(here)["status"]) == {"ok"}
    faults = Faults(error_5xx=0.2, latency="5ms", max_faults_per_request=2, retry_after=0.0)
    log = workshop / "calls.jsonl"
    with serve_in_thread(models=("rubric-judge",), faults=faults, log=log) as server:
        suite["judges"]["rules"]["model"] = {
            "adapter": "openai",
            "model": "rubric-judge",
            "base_url": f"{server.url}/v1",
            "api_key": "none",
            "decoding": {"max_tokens": 900},
            "price": {"input": 1.0, "output": 2.0},
        }
        there = play(suite, workshop / "there")
        told = judgements(there)[columns]
        asked = len(log.read_text().splitlines())
        suite["judges"]["rules"]["on_unparsed"] = "loss"
        suite["scenarios"]["notes"]["judging"][0]["limit"] = 3
        play(suite, workshop / "there")
        assert len(log.read_text().splitlines()) == asked
    pd.testing.assert_frame_equal(judgements(here)[columns], told)
    kept = there.directory.run["judges"]["rules"]
    assert kept["identity"]["decoding"] == {"temperature": 0, "max_tokens": 900}
    assert kept["dialect"]["decoding_sent"] == {"temperature": 0}
    first = kept["played"][0]
    assert first["attempts"] > first["calls"] == 12
    assert first["cost"] > 0
    assert first["input_tokens"] > 0


def test_recorded_judgements_are_a_judge(workshop: Path) -> None:
    first = play(asking(PAIR), workshop / "first")
    recorded = []
    for batch in pq.ParquetFile(first.path / "judgements.parquet").iter_batches():
        keys = {row["key"]: row["raw"] for row in batch.to_pylist()}
        recorded += [{"prompt": prompt_of(first, key), "text": raw} for key, raw in keys.items()]
    lines = "".join(json.dumps(one) + "\n" for one in recorded[:-1])
    (workshop / "recorded.jsonl").write_text(lines)
    suite = asking(PAIR)
    suite["judges"]["rules"]["model"] = {"adapter": "replay", "path": "recorded.jsonl", "kinds": ["chat"]}
    suite["judges"]["rules"]["min_coverage"] = 0.9
    run = play(suite, workshop / "second")
    table = judgements(run)
    assert table["status"].value_counts().to_dict() == {"ok": 11, "api_error": 1}
    (reason,) = table.query("status == 'api_error'")["reason"]
    assert reason.startswith("missing: no text is recorded for prompt")
    assert value(run, WINS, "zanzibar") == 1


def prompt_of(run: Run, key: str) -> str:
    from genrec_eval.engine.journal import Journal

    journal = Journal(run.path / "journal.sqlite")
    exchange = journal.latest(key)
    journal.close()
    assert exchange is not None
    said: str = json.loads(exchange.request)["messages"][-1]["content"]
    return said


def start(path: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "genrec_eval.cli.main",
        "run",
        str(path),
        "--out",
        str(out),
        "--quiet",
        "--no-report",
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def test_killed_in_the_middle_nothing_is_lost_and_nothing_asked_twice(workshop: Path, tmp_path: Path) -> None:
    with (workshop / "judging_workshop.py").open("a") as stream:
        stream.write(
            "\n\ndef slow(request: ChatRequest) -> str:\n"
            "    import time\n    time.sleep(0.03)\n    return judge(request)\n"
        )
    suite = asking(PAIR)
    suite["judges"]["rules"]["model"] |= {"target": "judging_workshop.py:slow", "limit": 1}
    suite["scenarios"]["notes"]["options"] = {"cases": 30}
    path = workshop / "killed.json"
    path.write_text(json.dumps(suite))
    process = start(path, workshop / "run")
    wait_for(lambda: len(seen(workshop)) >= 8, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (workshop / "run" / "judgements.parquet").exists()
    before = len(seen(workshop))
    assert 8 <= before < 60
    again = start(path, workshop / "run")
    assert again.wait() == 0, again.stderr.read().decode() if again.stderr else ""
    prompts = [json.dumps(prompt) for prompt in seen(workshop)]
    # the one that was under way when the process died is asked anew, and no other
    assert 60 <= len(prompts) <= 61
    assert len(set(prompts)) == 60
    assert len(judgements(genrec_eval.load_run(workshop / "run"))) == 60


def wait_for(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.01)
