"""``gate:`` of a suite: what is wrong with it is said at its line, before any model is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.suite.load import check_metrics, resolve

SUITE = """\
name: small
data:
  world: {{dataset: synthetic, options: {{users: 50, items: 100}}}}
models:
  popularity: {{adapter: reference, model: popularity}}
scenarios:
  top:
    scenario: top-k
    data: world
    options: {{k: 10, metrics: [ndcg@10, popularity@10], groups: [group]}}
gate:
  rules:
    - {{scenario: top, metric: ndcg@10, not_worse_by: 0.02}}
    - {rule}
"""


def _fault(tmp_path: Path, rule: str) -> str:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE.format(rule=f"{{{rule}}}"), "utf-8")
    with pytest.raises(UsageError) as refused:
        check_metrics(resolve(path))
    return str(refused.value).replace(str(tmp_path), "").lstrip("/")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "scenario: tob, metric: ndcg@10, at_least: 0.1",
            "no scenario 'tob' in this suite; did you mean 'top'?",
        ),
        ("scenario: top, metric: ndgc@10, at_least: 0.1", "did you mean 'ndcg'?"),
        ("scenario: top, metric: recall@10, at_least: 0.1", "scenario 'top' does not measure 'recall@10'"),
        ("scenario: top, metric: ndcg@10, model: pop, at_least: 0.1", "no model 'pop' in this suite"),
        (
            "scenario: top, metric: ndcg@10, by: grop, not_worse_by: 0.1",
            "no group 'grop' in 'top'; did you mean",
        ),
        ("scenario: top, metric: ndcg@10, slice: grupo=A, not_worse_by: 0.1", "no group 'grupo' in 'top'"),
        (
            "scenario: top, metric: ndcg@10, at_least: 50",
            "ndcg@10 lies between 0 and 1, so that at_least: 50 can",
        ),
        ("scenario: top, metric: duplicate@10, at_most: 50", "a share is written as 0.5, not 50"),
        ("scenario: top, metric: ndcg@10, at_least: 0", "at_least: 0 always holds"),
        ("scenario: top, metric: ndcg@10, at_most: -0.1", "at_most: -0.1 can never hold"),
        ("scenario: top, metric: ndcg@10, not_worse_by: 1", "not_worse_by: 1 can never break"),
        ("scenario: top, metric: ndcg@10, better_by: 2", "better_by: 2 can never hold"),
        ("scenario: top, metric: popularity@10, not_worse_by: 1", "popularity@10 has no better or worse"),
        ("scenario: top, metric: ndcg@10, at_least: .nan", ".nan is not a finite number"),
        ("scenario: top, metric: ndcg@10, not_worse_by: .inf", ".inf is not a finite number"),
        ("scenario: top, metric: ndcg@10, within: 1e999", "1e999 is not a finite number"),
        ("scenario: top, metric: ndcg@10, within: 0", "must be greater than 0"),
        ("scenario: top, metric: ndcg@10, not_worse_by: -0.1", "must be greater than 0"),
        ("scenario: top, metric: ndcg@10", "a rule of the gate needs exactly one of at_least, at_most"),
        ("scenario: top, metric: ndcg@10, at_least: 0.1, within: 0.1", "not at_least and within together"),
        (
            "scenario: top, metric: ndcg@10, at_least: 0.1, against: knn",
            "looks at the run alone; drop 'against'",
        ),
        ("scenario: top, metric: ndcg@10, at_least: true", "not true"),
        ("scenario: top, metrics: ndcg@10, at_least: 0.1", "unknown key 'metrics'; did you mean 'metric'?"),
    ],
)
def test_faults_are_said_at_their_line(rule: str, said: str, tmp_path: Path) -> None:
    found = _fault(tmp_path, rule)
    assert said in found
    assert found.startswith("suite.yaml:14: ") or "\nsuite.yaml:14: " in found or "suite.yaml:14: " in found


def test_a_metric_may_be_spelled_in_another_way(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    rule = "{scenario: top, metric: ndcg(ideal=k)@10, within: 0.1}"
    path.write_text(SUITE.format(rule=rule), "utf-8")
    check_metrics(resolve(path))
