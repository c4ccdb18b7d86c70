"""``genrec-eval explain`` and the presets, as a user calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.cli.main import exit_code
from genrec_eval.metrics.registry import METRICS

OWN = '''
from genrec_eval.metrics.base import Definition, UnitScores, define

@define(
    Definition(
        name="first_hit",
        title="First hit",
        summary="Whether rank 1 is relevant.",
        formula="1 if rank 1 is relevant else 0",
        degenerate="None.",
        source="A test.",
        direction="higher",
        needs_cutoff=False,
    )
)
def first_hit(lists):
    """Whether rank 1 is relevant."""
    return UnitScores(values=lists.hits.counts(1) * 1.0)
'''


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert exit_code(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_a_metric_is_explained_down_to_its_traps(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(["explain", "ndcg(gain=exp)@10"], capsys)
    for text in (
        "DCG / ideal DCG",
        "higher is better",
        "0 to 1",
        "exp; else linear, binary; linear by default",
        "seven copies of the target gave 3.64",
        "Järvelin & Kekäläinen 2002",
        "ndcg(discount=log2,gain=exp,ideal=k,no_list=zero,no_truth=exclude,ties=order,view=generated)@10",
        "ndcg(gain=binary,ideal=slots) (RecTools",
    ):
        assert text in out
    assert "\x1b" not in out


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_can_be_explained_without_a_cutoff(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "definition id" in said(["explain", name], capsys)


@pytest.mark.parametrize(
    ("metric", "made"),
    [
        (
            "bleu",
            "text; the run's value is computed from what is counted in each unit, added over all of them",
        ),
        ("controlled_win_rate", "the run's value is estimated from all units at once"),
        ("usr", "text; the run's value is computed over all texts at once"),
        ("rmse", "user; the run's value is the root of their mean"),
        ("contradicted", "user; the run's value is their mean"),
    ],
)
def test_what_a_run_s_value_is_made_of(metric: str, made: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert made in " ".join(said(["explain", metric], capsys).split())


def test_the_version_of_the_library_is_part_of_the_signature(capsys: pytest.CaptureFixture[str]) -> None:
    version = pytest.importorskip("sacrebleu").__version__
    out = "".join(said(["explain", "bleu"], capsys).split())
    assert f"bleu(level=corpus,lowercase=False,order=4,smooth=exp,tok=13a)|sacrebleu:{version}" in out


def test_one_library_s_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(["explain", "map", "--preset", "trec"], capsys)
    assert "relevant; else min, k, list, hits; min by default" in out
    assert "shown for k = 10" in out


def test_a_metric_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    assert "Whether rank 1 is relevant." in said(["explain", "own.py:first_hit"], capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ndgc@10"], "unknown metric 'ndgc'; did you mean 'ndcg'?"),
        (["auc@10"], "metric 'auc' has no cutoff; write 'auc'"),
        (["auc", "--preset", "recbole"], "preset 'recbole' cannot give 'auc': RecBole's AUC pools"),
        (["map", "--preset", "recbol"], "unknown preset 'recbol'; did you mean 'recbole'?"),
        (["mpa", "--preset", "recbole"], "preset 'recbole' does not define 'mpa'; did you mean 'map'?"),
    ],
)
def test_what_cannot_be_explained_gets_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["explain", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_presets_are_listed_with_what_they_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert "torchmetrics" in said(["list", "presets"], capsys)
    out = said(["list", "presets", "rectools"], capsys)
    assert "ndcg(gain=binary,ideal=slots)" in out
    assert "cannot be had" in out
    assert exit_code(["list", "presets", "rectool"]) == 2
    assert "did you mean 'rectools'?" in capsys.readouterr().err


def test_what_a_scenario_adds_to_a_metric_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["explain", "lost_ndcg(gain=exp,since=3)@10"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "is of scenario preference-shift, over its questions with since=3: interactions known" in said
    assert "what the shift costs" in said
    assert "definition id ndcg(discount=log2,gain=exp" in said


@pytest.mark.parametrize("name", METRICS.names())
def test_every_parameter_says_what_it_decides(name: str) -> None:
    definition = METRICS.get(name).definition
    assert set(definition.parameters) <= set(definition.meanings)


def test_ranges_are_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 and more" in said(["explain", "rmse"], capsys)
    assert "any number" in said(["explain", "effect"], capsys)
    assert "-1 and more, shown in percent" in said(["explain", "lift"], capsys)
