"""Commands on a run directory, as a person or a CI job calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrec_eval
from genrec_eval.cli.main import exit_code

SUITE = {
    "name": "s",
    "data": {"world": {"dataset": "synthetic", "options": {"users": 40, "items": 100}}},
    "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
    "scenarios": {
        "top-k": {"scenario": "top-k", "data": "world", "options": {"k": 5, "metrics": ["ndcg@5"]}}
    },
}


def _asked(prompt: str) -> str:
    return "a long preamble " * 40 + prompt + " and a long end" * 40


def test_explain_key_shows_where_two_long_prompts_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, words in (("first", "Recommend"), ("second", "Please recommend")):
        prompt = {"name": name, "version": 1, "description": "x", "kind": "rank"}
        text = "\n".join([*(f"{k}: {v}" for k, v in prompt.items()), f'user: "{_asked(words)} {{{{ k }}}}"'])
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
        (tmp_path / "chat.py").write_text("def chat(messages):\n    return '1. Heat (1995)'\n", "utf-8")
        model = {"adapter": "python", "target": "chat.py:chat", "kinds": ["chat"]}
        model["recommender"] = {"prompt": f"{name}.yaml"}
        genrec_eval.run(SUITE | {"models": {"m": model}}, out=name, limit=3, quiet=True)
    case = genrec_eval.load_run("first").records("m", "top-k")["case"][0]
    assert exit_code(["explain-key", "first", case, "--against", "second"]) == 0
    said = capsys.readouterr().out
    one, other = (line for line in said.splitlines() if line.startswith("    "))
    assert "preamble Recommend" in one
    assert "preamble Please recommend" in other
    assert len(said) < 700


def test_report_writes_a_summary_for_ci_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = genrec_eval.run(SUITE, out=tmp_path / "run", quiet=True)
    assert exit_code(["report", str(run.path), "--out", str(tmp_path / "summary.md")]) == 0
    assert "| metric | popularity |" in (tmp_path / "summary.md").read_text("utf-8")
    (run.path / "estimates.json").unlink()
    assert exit_code(["report", str(run.path)]) == 2
    assert "was played but not scored; run: genrec-eval score" in capsys.readouterr().err


def test_list_shows_the_keys_inside_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", "models", "openai"]) == 0
    said = capsys.readouterr().out
    assert "decoding.temperature" in said
    assert "recommender.grounding.fuzzy_cutoff" in said
