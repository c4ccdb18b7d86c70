"""Anybody's metric of `evaluate` in our scoring: from a script on this disk, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import relative_to
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.stats.intervals import Interval, intervals

pytest.importorskip("evaluate", reason="needs the extra 'evaluate'")

HEAD = """
import datasets
import evaluate

class Mine(evaluate.Metric):
    def _info(self):
        features = datasets.Features({FEATURES})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, *, predictions, references=None):
        {BODY}
"""
ONE = '{"predictions": datasets.Value("string"), "references": datasets.Value("string")}'
MANY = '{"predictions": datasets.Value("string"), "references": datasets.Sequence(datasets.Value("string"))}'
ALONE = '{"predictions": datasets.Value("string")}'
EXACT = (
    'return {"exact": sum(p == r for p, r in zip(predictions, references)) / len(predictions), "note": "x"}'
)


@pytest.fixture
def script(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Writes a script beside the suite; one name each, since what was imported stays imported."""

    def write(body: str, features: str = ONE, name: str = "mine") -> str:
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(HEAD.format(FEATURES=features, BODY=body))
        return f"{name}/{name}.py"

    with relative_to(tmp_path):
        yield write


def texts(n: int, references: int = 1) -> Texts:
    rng = np.random.default_rng(n)
    given = rng.integers(0, 2, n)
    return Texts(
        texts=[f"text {value}" for value in given], references=[("text 1", "text 9")[:references]] * n
    )


def estimate(spelling: str, given: Texts) -> Interval:
    bound = metric(spelling)
    return intervals([bound.sample(bound(given))], seed=1)[0]


def test_one_value_with_the_jackknife_and_the_same_by_text(script) -> None:  # type: ignore[no-untyped-def]
    path, given = script(EXACT), texts(60)
    share = np.array([text == "text 1" for text in given.texts])
    run = estimate(f"evaluate(path={path})", given)
    assert run.value == pytest.approx(share.mean())
    assert run.method == "jackknife"
    error = share.std(ddof=1) / np.sqrt(60)
    assert run.low == pytest.approx(share.mean() - 1.959964 * error, abs=1e-6)
    each = metric(f"evaluate(path={path},key=exact,per=text)")(given)
    assert each.values.tolist() == share.astype(float).tolist()
    assert each.total is None


def test_many_texts_are_left_out_by_groups(script) -> None:  # type: ignore[no-untyped-def]
    path, given = script(EXACT, name="grouped"), texts(120)
    whole = estimate(f"evaluate(path={path},groups=120)", given)
    grouped = estimate(f"evaluate(path={path},groups=20)", given)
    assert grouped.value == whole.value
    assert whole.low is not None
    assert grouped.low is not None
    assert whole.value is not None
    assert whole.value - grouped.low == pytest.approx(whole.value - whole.low, rel=0.35)


def test_several_references_lists_of_numbers_and_texts_alone(script) -> None:  # type: ignore[no-untyped-def]
    body = 'return {"scores": [float(p in r) for p, r in zip(predictions, references)]}'
    path = script(body, MANY, "many")
    given = Texts(texts=["a", None, "b", "c"], references=[("a", "x"), ("a",), ("c",), ()])
    scores = metric(f"evaluate(path={path})")(given)
    assert scores.total is None
    assert scores.values[scores.scored].tolist() == [1.0, 0.0]
    assert {name: mask.tolist() for name, mask in scores.reasons.items()} == {
        "no-text": [False, True, False, False],
        "no-reference": [False, False, False, True],
    }
    path = script('return {"size": sum(map(len, predictions)) / len(predictions)}', ALONE, "alone")
    assert estimate(f"evaluate(path={path.rpartition('/')[0]})", given).value == 1.0


def test_no_nan_leaves(script) -> None:  # type: ignore[no-untyped-def]
    path = script('return {"odd": [float("nan") if p == "a" else 1.0 for p in predictions]}', ALONE, "odd")
    scores = metric(f"evaluate(path={path})")(Texts(texts=["a", "b"]))
    assert scores.reasons["undefined"].tolist() == [True, False]
    assert np.isfinite(scores.values).all()
    path = script('return {"odd": float("nan")}', ALONE, "never")
    assert estimate(f"evaluate(path={path})", Texts(texts=["a", "b"])).value is None


def test_neighbours_can_be_imported(script, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = script('from .beside import LENGTH\n        return {"x": LENGTH}', ALONE, "beside_me")
    (tmp_path / "beside_me" / "beside.py").write_text("LENGTH = 7.0\n")
    assert estimate(f"evaluate(path={path})", texts(3)).value == 7


@pytest.mark.parametrize(
    ("more", "body", "features", "said"),
    [
        ("", 'return {"a": 1.0, "b": 2.0}', ALONE, "gives numbers under: a, b; say which with key="),
        (",key=c", 'return {"a": 1.0}', ALONE, "gives no number under key=c, but under: a"),
        ("", 'return {"a": "high"}', ALONE, "gives numbers under: none"),
        ("", "return 3", ALONE, "gave int, not a dict of results"),
        ("", 'raise KeyError("x")', ALONE, "raised KeyError: 'x'"),
        ("", EXACT, '{"sources": datasets.Value("string")}', "a suite has texts"),
        ("", EXACT, '{"predictions": datasets.Value("int32")}', "a suite has texts"),
        (",groups=1", EXACT, ONE, "groups is at least 2, not 1"),
        ("", EXACT, ONE, "takes one reference for a text, and some texts here have several"),
    ],
)
def test_what_is_wrong_is_told(script, more: str, body: str, features: str, said: str, request) -> None:  # type: ignore[no-untyped-def]
    path = script(body, features, f"wrong_{abs(hash(request.node.name))}")
    with pytest.raises(UsageError, match=said):
        metric(f"evaluate(path={path}{more})")(texts(4, references=2))


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("evaluate", "needs a script"),
        ("evaluate(path=accuracy)", "a name on the Hugging Face hub is not loaded"),
        ("evaluate(path=none.py)", "no such Python file"),
    ],
)
def test_only_files_of_the_suite_are_run(spelling: str, said: str, tmp_path: Path) -> None:
    with relative_to(tmp_path), pytest.raises(UsageError, match=said):
        metric(spelling)(texts(3))


def test_nothing_is_downloaded(tmp_path: Path) -> None:
    source = HEAD.format(FEATURES=ALONE, BODY='return {"x": 1.0}')
    (tmp_path / "fetches.py").write_text(
        source
        + "\n    def _download_and_prepare(self, manager):\n        manager.download('https://example.org')\n"
    )
    (tmp_path / "empty.py").write_text("import evaluate\n")
    with relative_to(tmp_path):
        with pytest.raises(UsageError, match="wants to download files"):
            metric("evaluate(path=fetches.py)")(texts(3))
        with pytest.raises(UsageError, match=r"holds no class of evaluate\.Metric"):
            metric("evaluate(path=empty.py)")(texts(3))
