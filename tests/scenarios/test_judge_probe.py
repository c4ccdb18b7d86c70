"""The judge probe: what is right is known by construction, and each planted bias is found by its measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.api import Run
from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.metrics.judged.probes import Observed, Probed
from genrec_eval.metrics.registry import metric
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.judge_probe import MEASURES, JudgeProbe, JudgeProbeOptions
from genrec_eval.scenarios.probing.asking import Questions
from genrec_eval.scenarios.probing.orders import ORDERS
from genrec_eval.scenarios.probing.texts import LADDER, NEUTRAL, ORDERING, SOUND, WRONG

SUITE = content("suites") / "judges.yaml"


def probe(**options: Any) -> tuple[JudgeProbe, Prepared]:
    scenario = JudgeProbe(JudgeProbeOptions.model_validate({"bases": 10, **options}), 3)
    return scenario, scenario.prepare(None)


@pytest.fixture(scope="module")
def made() -> tuple[JudgeProbe, Prepared]:
    return probe()


def answered(prepared: Prepared, say: Any, repeats: int = 1) -> list[pa.RecordBatch]:
    """Records of a judge that says ``say(row, task, repeat)``."""
    from genrec_eval.protocol.tables import RECORDS

    asked = Questions(prepared.cases, prepared.context)
    rows = []
    for place, row in enumerate(asked.rows):
        for repeat in range(repeats):
            text = say(row, asked.task(place), repeat)
            wire = None if text is None else json.dumps({"text": text, "finish_reason": "stop"})
            rows.append(
                {"case": row["case"], "repeat": repeat, "step": 0, "response": wire}
                | {"status": "ok" if text is not None else "timeout"}
            )
    columns = [pa.array([row.get(f.name) for row in rows], pa.string() if f.name == "status" else f.type)
               for f in RECORDS if f.name in rows[0]]  # fmt: skip
    names = [f.name for f in RECORDS if f.name in rows[0]]
    return [pa.RecordBatch.from_arrays(columns, names=names)]


def values(scenario: JudgeProbe, prepared: Prepared, say: Any, repeats: int = 1) -> dict[str, float | None]:
    scored = scenario.score(prepared.cases, prepared.context, answered(prepared, say, repeats))
    found: dict[str, float | None] = {}
    for name, scores in scored.scores.items():
        kept = scores.scored
        weights = np.ones(len(scores)) if scores.weights is None else scores.weights
        found[name] = float(np.average(scores.values[kept], weights=weights[kept])) if kept.any() else None
    return found


def verdict(row: dict[str, Any], better: bool | None) -> str:
    """A verdict in JSON, for the better text, the worse or neither."""
    if better is None:
        return json.dumps({"reason": "r", "verdict": "tie"})
    first = better == (row["order"] == "given")
    return json.dumps({"reason": "r", "verdict": "A" if first else "B"})


def perfect(row: dict[str, Any], task: Any, repeat: int) -> str:
    if row["task"] == "pairwise":
        same = row["model"] == row["other"] or row["probe"] == "padding"
        return verdict(row, None if same else True)
    rungs = {LADDER[0]: 1, SOUND: 5, "padded": 5, "repeated": 5}
    return json.dumps({"reason": "r", "score": rungs.get(row["model"], 3)})


def test_a_judge_that_is_right_gets_the_best_figure_everywhere(made: tuple[JudgeProbe, Prepared]) -> None:
    found = values(*made, perfect)
    assert found == {
        "probe_accuracy": 1.0,
        "position_consistency": 1.0,
        "first_slot_share": 0.5,
        "verbosity_preference": 0.5,
        "injection_success": 0.0,
        "ladder_correlation": 1.0,
        "tie_on_identical": 1.0,
        "parse_failure": 0.0,
    }


def obey(row: dict[str, Any], task: Any, repeat: int) -> str:
    if not (row["other"] or row["model"]).startswith(ORDERING):
        return perfect(row, task, repeat)
    return verdict(row, False) if row["task"] == "pairwise" else json.dumps({"reason": "r", "score": 5})


def longest(row: dict[str, Any], task: Any, repeat: int) -> str:
    lengths = [len(answer) for answer in task.answers]
    if row["task"] == "pairwise":
        words = "tie" if lengths[0] == lengths[1] else "A" if lengths[0] > lengths[1] else "B"
        return json.dumps({"reason": "r", "verdict": words})
    return json.dumps({"reason": "r", "score": min(5, 1 + lengths[0] // 250)})


def slot(row: dict[str, Any], task: Any, repeat: int) -> str:
    if row["task"] == "pairwise":
        return json.dumps({"reason": "r", "verdict": "B"})
    return perfect(row, task, repeat)


def test_each_flaw_moves_its_own_measure(made: tuple[JudgeProbe, Prepared]) -> None:
    found = values(*made, obey)
    assert found["injection_success"] == 1.0
    assert found["probe_accuracy"] == found["ladder_correlation"] == 1.0
    found = values(*made, slot)
    assert (found["first_slot_share"], found["position_consistency"], found["tie_on_identical"]) == (0, 0, 0)
    assert found["injection_success"] == 0.0
    found = values(*made, longest)
    assert found["verbosity_preference"] == 1.0
    # an order makes a text longer, and so does the remark that stands in its place without it
    assert found["injection_success"] == 0.0
    assert found["first_slot_share"] == 0.5

    def constant(row: dict[str, Any], task: Any, repeat: int) -> str:
        return verdict(row, None) if row["task"] == "pairwise" else json.dumps({"reason": "r", "score": 3})

    found = values(*made, constant)
    assert found["first_slot_share"] is None
    assert (found["probe_accuracy"], found["ladder_correlation"]) == (0.0, 0.0)
    scored = made[0].score(made[1].cases, made[1].context, answered(made[1], constant))
    assert scored.remark == "one and the same verdict on all 240 pairs of different texts: a tie"
    assert scored.scores["first_slot_share"].reasons.keys() == {"no-winner-named"}

    def mumble(row: dict[str, Any], task: Any, repeat: int) -> str | None:
        return "Hard to say." if row["order"] == "swapped" else perfect(row, task, repeat)

    found = values(*made, mumble)
    assert found["position_consistency"] is None
    assert found["parse_failure"] == pytest.approx(120 / 390)
    assert found["probe_accuracy"] == 1.0


def test_calls_that_bring_nothing_are_no_parse_failures(made: tuple[JudgeProbe, Prepared]) -> None:
    found = values(*made, lambda row, task, repeat: None)
    assert found["parse_failure"] is None
    scored = made[0].score(made[1].cases, made[1].context, answered(made[1], lambda *_: None))
    assert scored.attempted.all()
    assert not scored.answered.any()
    hopeless = made[0].score(made[1].cases, made[1].context, answered(made[1], lambda *_: "Hm."))
    assert "390 of 390 answers hold no verdict" in (hopeless.remark or "")
    nothing = made[0].score(made[1].cases, made[1].context, [])
    assert not nothing.attempted.any()


def test_stability_is_read_off_repeats() -> None:
    scenario, prepared = probe(probes=["known", "repeats"], tasks=["pairwise"])

    def fickle(row: dict[str, Any], task: Any, repeat: int) -> str:
        return verdict(row, repeat != 2)

    found = values(scenario, prepared, fickle, repeats=4)
    # of four verdicts three agree: 3 of 6 pairs
    assert found["repeat_stability"] == pytest.approx(0.5)
    once = scenario.score(prepared.cases, prepared.context, answered(prepared, fickle))
    assert once.scores["repeat_stability"].reasons.keys() == {"no-repeats"}


def test_questions_are_what_they_are_made_for(made: tuple[JudgeProbe, Prepared]) -> None:
    scenario, prepared = made
    rows = prepared.cases.to_pylist()
    assert len({row["case"] for row in rows}) == len(rows)
    orders = {row["other"] for row in rows if (row["other"] or "").startswith(ORDERING)}
    assert orders == {f"{ORDERING}{name}" for name in ORDERS}  # ten cases, two each, all in turn
    pairs = [row for row in rows if row["task"] == "pairwise"]
    for row in pairs:
        first, second = row["answers"]
        given = next(r for r in pairs if r["item"] == row["item"] and r["order"] == "given")
        assert [first, second] == (given["answers"] if row["order"] == "given" else given["answers"][::-1])
    mine = [row for row in rows if row["task"] == "pointwise" and row["unit"] == "probe-004"]
    texts = {row["model"]: row["answers"][0] for row in mine}
    assert texts[NEUTRAL].startswith(texts[WRONG])
    ordering = [len(text) for name, text in texts.items() if name.startswith(ORDERING)]
    assert max(ordering) <= len(texts[NEUTRAL]) + 1
    for row in range(0, len(rows), 7):
        request = scenario.request(prepared, _case(row))
        told = " ".join(message.content for message in request.messages)
        assert rows[row]["case"] not in told  # the case says what is wrong with the text
        assert 'key="' in told


def _case(row: int) -> Any:
    from genrec_eval.scenarios.base import Case

    return Case(id="c", unit="u", row=row)


def test_the_same_seed_makes_the_same_questions_and_fences_can_be_left_out() -> None:
    (_, one), (scenario, bare) = probe(bases=4), probe(bases=4, fence=False)
    assert one.cases.equals(bare.cases)
    told = scenario.request(bare, _case(0)).messages[-1].content
    assert "<data" not in told
    other = JudgeProbe(JudgeProbeOptions(bases=4), 4).prepare(None)
    assert not one.cases.equals(other.cases)


@pytest.mark.parametrize("dialect", ["mtbench-pair", "llmbar", "alpaca-token", "judgelm"])
def test_dialects_of_pairs_alone_say_which_tasks_to_ask_for(dialect: str) -> None:
    with pytest.raises(
        UsageError, match=rf"dialect '{dialect}' has no words for pointwise tasks; write tasks"
    ):
        probe(dialect=dialect, bases=1)


def test_other_dialects_are_asked_and_read() -> None:
    scenario, prepared = probe(dialect="mtbench-pair", tasks=["pairwise"], bases=3)

    def say(row: dict[str, Any], task: Any, repeat: int) -> str:
        tie = row["model"] == row["other"]
        return "So. [[C]]" if tie else f"So. [[{'A' if row['order'] == 'given' else 'B'}]]"

    found = values(scenario, prepared, say)
    assert (found["probe_accuracy"], found["tie_on_identical"]) == (1.0, 1.0)
    assert "ladder_correlation" not in found
    scenario, prepared = probe(dialect="llmbar", tasks=["pairwise"], bases=3, probes=["identical"])
    scored = scenario.score(
        prepared.cases, prepared.context, answered(prepared, lambda *_: "Output (a) is better.")
    )
    assert scored.scores["tie_on_identical"].reasons.keys() == {"no-tie-in-dialect"}
    with pytest.raises(UsageError, match="shows the judge an image, and the probes are texts"):
        probe(dialect="prometheus-vision", tasks=["pointwise"], bases=1)


def test_log_probabilities_that_are_missing_are_a_status_with_a_reason() -> None:
    scenario, prepared = probe(dialect="alpaca-token", tasks=["pairwise"], bases=2, probes=["known"])
    scored = scenario.score(prepared.cases, prepared.context, answered(prepared, lambda *_: "m"))
    assert scored.scores["parse_failure"].values.tolist() == [1.0, 1.0]
    assert "reads this verdict from log-probabilities, and the judge gave none" in (scored.remark or "")


def test_shares_are_weighted_by_what_was_observed() -> None:
    kinds = np.array(["a", "a", "b"], object)
    observed = Observed(value=np.array([1.0, 0.0, 1.0]), unit=np.array([0, 0, 1]), kind=kinds)
    probed = Probed(units=3, observed={"probe_accuracy": observed})
    scores = metric("probe_accuracy")(probed)
    assert scores.values[scores.scored].tolist() == [0.5, 1.0]
    assert scores.weights is not None
    assert scores.weights.tolist() == [2.0, 1.0, 0.0]
    assert scores.reasons["no-verdict"].tolist() == [False, False, True]
    only = metric("probe_accuracy(of=b)")(probed)
    assert only.scored.tolist() == [False, True, False]
    for name in MEASURES:
        assert metric(name)(Probed(units=2, observed={})).reasons["no-verdict"].all()


def test_a_record_of_no_question_is_refused(made: tuple[JudgeProbe, Prepared]) -> None:
    batch = answered(made[1], perfect)[0]
    strange = batch.set_column(0, "case", pa.array(["what"] * batch.num_rows))
    with pytest.raises(UsageError, match="belongs to no case"):
        made[0].score(made[1].cases, made[1].context, [strange])


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return genrec_eval.run(SUITE, out=tmp_path_factory.mktemp("judges") / "run", quiet=True, report=False)


def test_the_shipped_suite_finds_every_planted_flaw(shipped: Run) -> None:
    rulings = {verdict.claim: (verdict.verdict, verdict.expected) for verdict in shipped.results.verdicts
               if verdict.gate}  # fmt: skip
    assert len(rulings) == 9
    assert all(verdict == expected for verdict, expected in rulings.values()), rulings
    checks = [v for v in shipped.results.verdicts if not v.gate and v.model == "rules"]
    assert checks
    assert {str(v.verdict) for v in checks} == {"PASS"}
    assert shipped.exit_code == 0


def test_playing_again_asks_nothing_and_scoring_needs_no_judge(shipped: Run) -> None:
    before = (shipped.path / "estimates.json").read_bytes()
    genrec_eval.run(SUITE, out=shipped.path, quiet=True, report=False, only="rules/bare")
    (again,) = RunDirectory.open(shipped.path).run["play"]
    assert again["calls"] == again["cached"] == 408
    genrec_eval.run(SUITE, out=shipped.path, quiet=True, report=False)
    done = RunDirectory.open(shipped.path).run["play"]
    assert [row["calls"] for row in done] == [row["cached"] for row in done]
    after = (shipped.path / "estimates.json").read_bytes()
    assert json.loads(before)["estimates"] == json.loads(after)["estimates"]


def test_a_data_set_can_give_the_cases(tmp_path: Path) -> None:
    from genrec_eval.data.world.spec import SyntheticSpec

    dataset = SyntheticSpec(users=80, items=100, reviews=0.5).load(tmp_path, 1)
    prepared = JudgeProbe(JudgeProbeOptions(bases=3, rubrics=("faithfulness", "helpfulness")), 1).prepare(
        dataset
    )
    assert prepared.facts["source"] == dataset.name
    assert set(prepared.cases.column("rubric").to_pylist()) == {"faithfulness", "helpfulness"}
    assert len(set(prepared.cases.column("unit").to_pylist())) == 3
