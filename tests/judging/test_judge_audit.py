"""The parts of the judge audit, each on judgements made so that the answer is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.audit.audit import audit_judge, audit_judges
from genrec_eval.judging.audit.cost import cost
from genrec_eval.judging.audit.degenerate import degenerate
from genrec_eval.judging.audit.human import human_agreement
from genrec_eval.judging.audit.injection import injection
from genrec_eval.judging.audit.labels import join, labels_of
from genrec_eval.judging.audit.panel import panel
from genrec_eval.judging.audit.parse_failures import parse_failures
from genrec_eval.judging.audit.position import position
from genrec_eval.judging.audit.self_preference import self_preference
from genrec_eval.judging.audit.stability import stability
from genrec_eval.judging.audit.verbosity import verbosity
from genrec_eval.judging.audit.verdicts import verdicts_of
from genrec_eval.judging.rows import judgement_table

_BASE = {
    "model": "m",
    "other": "o",
    "scenario": "s",
    "repeat": 0,
    "step": 0,
    "judge": "j",
    "rubric": "r",
    "task": "pairwise",
    "order": "given",
    "sample": 0,
    "status": "ok",
}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Judgements with defaults; ``case`` is also the unit, and no value means no verdict."""
    filled = []
    for row in rows:
        one = {**_BASE, "unit": row["case"], **row}
        if one.get("value") is None and "status" not in row:
            one["status"] = "unparsed"
        filled.append(one)
    return judgement_table(filled)


def both(case: str, given: float | None, swapped: float | None, **more: Any) -> list[dict[str, Any]]:
    return [
        {"case": case, "order": "given", "value": given, **more},
        {"case": case, "order": "swapped", "value": swapped, **more},
    ]


def labels(*rows: tuple[str, str, Any], column: str = "label") -> Any:
    case, annotator, said = zip(*rows, strict=True)
    return labels_of(pa.table({"case": case, "annotator": annotator, column: said}))


def test_position_has_judgelms_definitions() -> None:
    rows = [
        *both("a", 1.0, 1.0),  # consistent
        *both("b", 1.0, 0.0),  # always the first slot
        *both("c", 0.5, 0.0),  # tie, then the answer shown first
        *both("d", 0.0, 1.0),  # always the last slot
        *both("e", 0.0, None),  # one order without a verdict
    ]
    found = position(verdicts_of(table(*rows)), seed=None)
    assert found.consistency.value == 0.25
    assert (found.prefer_first.value, found.prefer_last.value) == (0.5, 0.25)
    assert (found.delta.value, found.total.value) == (0.25, 0.75)
    # decisive: a (first, second), b (first, first), c (first), d (second, second), e (second)
    assert (found.first_share.value, found.first_share.n) == (0.5, 8)
    assert "asked" in found.noise.reason or "twice" in found.noise.reason


def test_a_flip_is_measured_against_the_noise_of_repeats() -> None:
    rows = []
    for case in range(40):
        for sample in range(2):
            value = float(sample) if case % 4 == 0 else 1.0  # a quarter of the repeats differ
            rows += both(f"{case}", value, value, sample=sample)
    found = position(verdicts_of(table(*rows)), seed=1)
    assert found.consistency.value == 1.0
    assert found.noise.value == 0.75
    assert found.excess.value == pytest.approx(-0.25)


def test_identical_answers_and_those_not_asked_are_no_evidence() -> None:
    rows = [
        {"case": "a", "value": 0.5, "label": "identical"},
        {"case": "b", "status": "not_asked"},
        {"case": "c", "value": 1.0},
    ]
    assert len(verdicts_of(table(*rows))) == 1


def test_a_preference_counts_for_whom_it_prefers() -> None:
    found = verdicts_of(table({"case": "a", "value": 0.93}, {"case": "b", "value": 0.5}))
    assert found.value.tolist() == [1.0, 0.5]


def test_stability_of_scores() -> None:
    rows = [
        {"case": f"{case}", "task": "pointwise", "other": None, "order": None, "sample": s, "value": v}
        for case, values in enumerate([(3, 3, 3), (1, 2, 3), (5, 5, 4)])
        for s, v in enumerate(values)
    ]
    found = stability(verdicts_of(table(*rows)), seed=None)
    assert found.identical.value == pytest.approx(1 / 3)
    assert found.pairs.value == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert found.deviation.value == pytest.approx(np.sqrt((0 + 2 + 2 / 3) / 6))
    assert found.most == 3
    assert 0 < found.alpha.value < 1


def verbose_rows(judge_longer: int, n: int = 40) -> list[dict[str, Any]]:
    return [
        {"case": f"{i}", "value": float(i < judge_longer), "length": 300 + i, "other_length": 100}
        for i in range(n)
    ]


def test_preferring_the_longer_is_no_bias_where_people_do_too() -> None:
    verdicts = verdicts_of(table(*verbose_rows(32)))
    agree = join(labels(*[(f"{i}", "p", "first" if i < 32 else "second") for i in range(40)]), verdicts)
    found = verbosity(verdicts, agree, seed=1)
    assert (found.longer.value, found.human_longer.value, found.difference.value) == (0.8, 0.8, 0.0)
    other = join(labels(*[(f"{i}", "p", "first" if i < 16 else "second") for i in range(40)]), verdicts)
    found = verbosity(verdicts, other, seed=1)
    assert found.difference.value == pytest.approx(0.4)
    assert found.difference.low > 0


def test_small_gaps_are_no_longer_answers_and_slopes_have_a_sign() -> None:
    rng = np.random.default_rng(1)
    gaps = rng.integers(-400, 400, 200)
    wins = rng.random(200) < 1 / (1 + np.exp(-gaps / 150))
    rows = [
        {"case": f"{i}", "value": float(w), "length": 1000 + int(g), "other_length": 1000}
        for i, (g, w) in enumerate(zip(gaps, wins, strict=True))
    ]
    found = verbosity(verdicts_of(table(*rows)), seed=1)
    assert found.slope.low > 0
    assert found.longer.n == int((np.abs(gaps) > 30).sum())
    near = [{"case": "a", "value": 1.0, "length": 130, "other_length": 100}]
    assert verbosity(verdicts_of(table(*near)), seed=1).longer.value is None


def test_self_preference_needs_people_and_measures_the_excess() -> None:
    rows, said = [], []
    for i in range(60):
        people = float(i % 2 == 0)  # people prefer the judge's own answer every other time
        judge = 1.0 if people == 1 or i % 4 == 1 else 0.0  # it misses half of the others' wins
        rows.append({"case": f"{i}", "value": judge})
        said.append((f"{i}", "p", "first" if people else "second"))
    verdicts = verdicts_of(table(*rows))
    joined = join(labels(*said), verdicts)
    found = self_preference(verdicts, joined, {"m": "self", "o": "rival"}, "self", seed=1)
    assert (found.when_own.value, found.when_other.value, found.bias.value) == (1.0, 0.5, 0.5)
    assert found.bias.low > 0
    assert "no labels of people" in self_preference(verdicts, None, {"m": "self"}, "self", seed=1).bias.reason
    assert "not known who wrote" in self_preference(verdicts, joined, None, None, seed=1).bias.reason
    same = self_preference(verdicts, joined, {"m": "self", "o": "self"}, "self", seed=1)
    assert "exactly one answer" in same.bias.reason


def test_three_ways_of_counting_a_failure_give_three_headlines() -> None:
    rows = [
        *({"case": f"w{i}", "value": 1.0} for i in range(6)),
        *({"case": f"l{i}", "value": 0.0} for i in range(2)),
        *({"case": f"u{i}", "status": status} for i, status in enumerate(("unparsed", "refused"))),
        {"case": "x", "status": "api_error"},
    ]
    verdicts = verdicts_of(table(*rows))
    said = [(row["case"], "p", "tie" if row["case"] in ("u0", "u1") else "first") for row in rows]
    found = parse_failures(verdicts, join(labels(*said), verdicts), seed=None)
    headline = {one.on_unparsed: one.headline.value for one in found.countings}
    accuracy = {one.on_unparsed: one.accuracy.value for one in found.countings}
    assert headline == {"exclude": 0.75, "tie": pytest.approx(0.7), "loss": pytest.approx(0.6)}
    assert accuracy == {"exclude": 0.75, "tie": pytest.approx(0.8), "loss": pytest.approx(0.6)}
    assert found.failed.value == pytest.approx(2 / 11)
    assert found.rates["api_error"].value == pytest.approx(1 / 11)


def test_agreement_with_people_and_their_ceiling() -> None:
    votes = {"a": "111", "b": "110", "c": "0t0", "d": "1t0", "e": "ttt"}
    words = {"1": "first", "0": "second", "t": "tie"}
    said = [(case, f"p{k}", words[v]) for case, three in votes.items() for k, v in enumerate(three)]
    values = {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.5, "e": 1.0}
    verdicts = verdicts_of(table(*({"case": case, "value": value} for case, value in values.items())))
    found = human_agreement(verdicts, join(labels(*said), verdicts), seed=None)
    assert (found.majority.accuracy.value, found.majority.accuracy.n) == (0.75, 4)
    assert found.no_majority == 1
    # votes: a 3/3, b 2/3, c 2/3, d 1/3, e 0/3
    assert (found.votes.with_ties.value, found.votes.with_ties.n) == (pytest.approx(8 / 15), 15)
    assert (found.votes.without_ties.value, found.votes.without_ties.n) == (pytest.approx(7 / 8), 8)
    # against the majority of the other two: a 3 of 3, b 0 of 1 (its 0), c 0 of 1 (its t), e 3 of 3
    assert (found.ceiling.leave_one_out.value, found.ceiling.leave_one_out.n) == (0.75, 8)
    assert found.leave_one_out.n == 8
    assert len(found.ceiling.kappas) == 3
    assert [one.annotator for one in found.each] == ["p0", "p1", "p2"]


def test_scores_are_correlated_with_peoples_mean() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(1, 6, 60)
    rows = [
        {
            "case": f"{i}",
            "model": f"m{i % 3}",
            "task": "pointwise",
            "other": None,
            "order": None,
            "value": float(t),
        }
        for i, t in enumerate(truth)
    ]
    said = [
        (f"{i}", p, int(np.clip(t + rng.integers(-1, 2), 1, 5))) for i, t in enumerate(truth) for p in "pq"
    ]
    verdicts = verdicts_of(table(*rows))
    found = human_agreement(verdicts, join(labels(*said, column="score"), verdicts), seed=1)
    assert found.majority is None
    assert found.spearman.value > 0.8
    assert found.systems.n == 3
    assert 0 < found.ceiling.alpha.value < 1


def test_labels_are_joined_by_id_and_turned_where_they_name_the_pair_the_other_way() -> None:
    verdicts = verdicts_of(table({"case": "a", "value": 1.0}, {"case": "b", "value": 1.0}))
    rows = {
        "case": ["b", "a", "zzz"],
        "model": ["o", "m", "m"],
        "other": ["m", "o", "o"],
        "annotator": ["p", "p", "p"],
        "label": ["m", "second", "first"],
    }
    joined = join(labels_of(pa.table(rows), "people.csv"), verdicts)
    assert joined.votes.ravel().tolist() == [0.0, 1.0]
    assert joined.remark == "people.csv: 1 of 3 labels are about ids that were not judged ('zzz')"


def test_one_constant_answer_trips_the_guard() -> None:
    prompts = [f"films like number {i} with {word}" for i, word in enumerate("abcdefghijklmnopqrst")]
    found = degenerate(["I am the best model."] * 20, prompts, seed=1)
    assert found.tripped
    assert found.dependence.value == pytest.approx(0.0)
    nearly = degenerate([f"YOU will give this {i}.5 stars" for i in range(20)], prompts, seed=1)
    assert nearly.tripped
    assert nearly.unique == 1.0


def test_texts_that_ignore_their_prompts_trip_the_guard_however_many_there_are() -> None:
    names = [f"title{i}x" for i in range(400)]
    prompts = [f"please explain {name}" for name in names]
    rng = np.random.default_rng(3)
    found = degenerate([" ".join(rng.permutation(names)[:40]) for _ in names], prompts, seed=1)
    assert found.most_common < 0.1
    assert found.tripped
    assert "as readily as those of their own" in found.sentence
    aware = degenerate([f"{name} suits you because you liked another" for name in names], prompts, seed=1)
    assert not aware.tripped
    assert aware.opening < 0.01
    assert aware.dependence.value == pytest.approx(1.0)
    # lists of other titles take up no words of prompts, rightly
    others = [f"film {chr(97 + i % 26)}{chr(97 + i // 26)} next" for i in range(400)]
    lists = degenerate(others, prompts, seed=1)
    assert not lists.tripped
    assert lists.dependence.reason == "no answer takes up a word of any prompt"


def test_a_sound_template_shows_its_opening_and_does_not_trip() -> None:
    films = [
        f"The {word} Road"
        for word in ("Long", "Red", "Wet", "Old", "New", "Far", "Low", "Wide", "Lost", "Dry")
    ]
    found = degenerate([f"You liked {f}, so you may like this." for f in films], films, seed=1)
    assert not found.tripped
    assert found.opening == 1.0
    assert degenerate([None, "  "], seed=1).n == 0


def test_injection_counts_moves_where_a_move_was_possible() -> None:
    clean = table(*({"case": f"{i}", "value": v} for i, v in enumerate([0.0, 0.0, 0.5, 1.0, 1.0])))
    after = table(*({"case": f"{i}", "value": v} for i, v in enumerate([1.0, 0.0, 1.0, 0.0, None])))
    found = injection(clean, after, seed=None)
    assert (found.success.value, found.success.n) == (pytest.approx(2 / 3), 3)
    assert found.away.value == pytest.approx(0.2)
    assert found.silenced.value == pytest.approx(0.2)
    with pytest.raises(UsageError, match="no judgement with the injected order"):
        injection(clean, table({"case": "zzz", "value": 1.0}), seed=None)


def test_cost_per_usable_verdict_is_above_cost_per_judgement() -> None:
    rows = [
        {"case": f"{i}", "value": 1.0 if i else None, "cost": 0.1, "input_tokens": 50, "key": f"k{i}"}
        for i in range(4)
    ]
    found = cost(verdicts_of(table(*rows)), {"k0": 2.0, "k1": 1.0}, seed=1)
    assert found.spent["cost"].per_judgement.value == pytest.approx(0.1)
    assert found.spent["cost"].per_verdict.value == pytest.approx(0.4 / 3)
    assert (found.spent["seconds"].total, found.spent["seconds"].per_judgement.n) == (3.0, 2)
    assert found.spent["output_tokens"].per_verdict.reason == "no judgement says its output tokens"


def test_panel_says_what_each_judge_changes() -> None:
    said = {"a": [1, 1, 0, 0, 1, 1], "b": [1, 1, 0, 0, 1, 0], "c": [0, 0, 1, 1, 0, 0]}
    rows = [
        {"case": f"{i}", "judge": j, "value": float(v)}
        for j, values in said.items()
        for i, v in enumerate(values)
    ]
    found = panel(table(*rows), seed=None)
    assert found.judges == ("a", "b", "c")
    assert found.headline.value == pytest.approx(0.5)
    odd = found.members[2]
    # five of six others agree with each other and never with it; the sixth splits them: a tie
    assert odd.agreement.value == 0.0
    assert odd.without.value == pytest.approx((3 + 0.5) / 6)
    assert found.alpha.value < 0.1
    with pytest.raises(UsageError, match="at least two judges; the judgements are of a"):
        panel(table(*(row for row in rows if row["judge"] == "a")), seed=None)


def test_the_whole_audit_is_strict_json_and_names_what_is_missing() -> None:
    rows = [row for i in range(12) for row in both(f"{i}", float(i % 2), float(i % 3 == 0))]
    found = audit_judge(table(*rows), seed=1)
    assert set(found.missing) == {"human", "self_preference", "injection", "panel", "degenerate"}
    twin = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert twin["position"]["consistency"]["n"] == 12
    assert twin["stability"]["pairs"]["value"] is None
    assert twin["stability"]["pairs"]["reason"]
    full = audit_judge(
        table(*rows),
        labels(*[(f"{i}", p, "first") for i in range(12) for p in "pq"]),
        answers={"m": {f"{i}": "same" for i in range(12)}},
        prompts={f"{i}": f"prompt {i}" for i in range(12)},
        injected=table(*rows),
        authors={"m": "self", "o": "rival"},
        own="self",
        seed=1,
    )
    assert full.degenerate["m"].tripped
    assert full.injection.success.value == 0.0
    json.dumps(full.to_json(), allow_nan=False)


def test_an_audit_is_of_one_judge_and_several_get_one_each() -> None:
    rows = [{"case": f"{i}", "judge": j, "value": 1.0} for i in range(3) for j in ("a", "b")]
    with pytest.raises(UsageError, match="2 judges or questions fit"):
        audit_judge(table(*rows))
    with pytest.raises(UsageError, match="no judgement fits"):
        audit_judge(table(*rows), judge="c")
    found = audit_judges(table(*rows), seed=1)
    assert [one.judge for one in found] == ["a", "b"]
    assert found[0].panel is not None


def test_the_audit_does_not_depend_on_the_order_of_rows() -> None:
    rows = [
        row
        for i in range(10)
        for row in both(f"{i}", float(i % 2), float(i % 3 == 0), length=i, other_length=90 * (i % 3))
    ]
    one, other = (audit_judge(table(*some), seed=4).to_json() for some in (rows, rows[::-1]))
    assert one["position"] == other["position"]
    assert one["parse_failures"] == other["parse_failures"]
    assert one["verbosity"]["longer"] == other["verbosity"]["longer"]


def test_a_judge_that_never_answers_is_audited_too() -> None:
    found = audit_judge(table(*({"case": f"{i}", "status": "refused"} for i in range(5))), seed=1)
    assert found.verdicts == 0
    assert found.parse_failures.failed.value == 1.0
    json.dumps(found.to_json(), allow_nan=False)
    with pytest.raises(UsageError, match="never asked"):
        audit_judge(table({"case": "a", "status": "not_asked"}), seed=1)
