"""Recorded judgements: figures against independent forms, published figures, and data that are not there."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

import genrec_eval
from genrec_eval import api
from genrec_eval.core.errors import Exit, UsageError
from genrec_eval.data.judgements.exchange import read_exchange
from genrec_eval.data.judgements.log import JudgementLog
from genrec_eval.data.judgements.spec import JudgementLogSpec
from genrec_eval.data.registry import DATASETS
from genrec_eval.judging.audit.published import against_people, human_kappas
from genrec_eval.judging.audit.stability import stability
from genrec_eval.judging.audit.verdicts import verdicts_of
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.judged.against_people import kappa_of
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.markdown import summary
from genrec_eval.scenarios.base import Prepared, ScoredUnits
from genrec_eval.scenarios.recorded_judgements import RecordedJudgements, RecordedOptions
from genrec_eval.stats.intervals import intervals
from genrec_eval.suite.load import resolve

VERDICTS = ("first", "second", "tie")
PEOPLE = ("ann", "bob", "cleo")


def scenario(**options: Any) -> RecordedJudgements:
    return RecordedJudgements(RecordedOptions.model_validate(options), 7)


def score(one: RecordedJudgements, prepared: Prepared, arm: str) -> ScoredUnits:
    arms = np.array(prepared.cases.column("arm").to_pylist())
    served = prepared.cases.filter(pa.array(arms == arm)).select(["case"]).to_batches()
    return one.score(prepared.cases, prepared.context, served[::-1])


def value(
    one: RecordedJudgements, scored: ScoredUnits, spelled: str, mask: np.ndarray | None = None
) -> float:
    """The figure over all units, or those of a slice, without its interval."""
    (metric,) = [known for known in one.metrics() if known.id == spelled]
    found: UnitScores = scored.scores[spelled]
    kept = found.scored if mask is None else found.scored & mask
    parameters = metric.parameters
    if metric.definition.combine is not None:
        sums = found.sums[kept].sum(axis=0)[None, :]
        return float(np.ravel(metric.definition.combine(sums, parameters))[0])
    if metric.definition.refit is not None:
        rows = found.sums[kept]
        return float(metric.definition.refit(rows, np.ones((1, len(rows))), parameters)[0])
    weights = np.ones(kept.sum()) if found.weights is None else found.weights[kept]
    mean = float((found.values[kept] * weights).sum() / weights.sum())
    return mean**0.5 if metric.link == "sqrt" else mean


def figures(log: JudgementLog, arm: str, *metrics: str, **options: Any) -> list[float]:
    one = scenario(metrics=metrics, **options)
    scored = score(one, one.prepare(log), arm)
    return [value(one, scored, metric.id) for metric in one.metrics()]


def written(rows: list[dict[str, Any]], folder: Path, **options: Any) -> JudgementLog:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_exchange(JudgementLogSpec(path=str(path), **options), path)


def pairs(items: int = 60, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Two judges, both orders, three people, four items a prompt; every ninth judgement has no verdict."""
    rng = np.random.default_rng(seed)
    for item in range(items):
        truth = rng.choice(VERDICTS, p=[0.45, 0.4, 0.15])
        human = [truth if rng.random() < 0.8 else rng.choice(VERDICTS) for _ in PEOPLE]
        for judge, skill in (("sharp", 0.8), ("dull", 0.4)):
            for order in ("given", "swapped"):
                said = truth if rng.random() < skill else rng.choice(VERDICTS)
                row = {"item": f"i{item}", "unit": f"u{item // 4}", "system": "x", "other": "y"}
                row |= {"judge": judge, "order": order, "human": human, "category": f"c{item // 20}"}
                yield row | ({"status": "unparsed"} if rng.random() < 1 / 9 else {"verdict": said})


def log_of_pairs(folder: Path) -> JudgementLog:
    return written(list(pairs()), folder, annotators=PEOPLE)


def test_accuracy_and_classes_against_the_judge_audit(tmp_path: Path) -> None:
    log = log_of_pairs(tmp_path)
    for judge in ("sharp", "dull"):
        for unparsed in ("exclude", "tie", "wrong"):
            want = against_people(log, judge, on_unparsed=unparsed).majority
            found = figures(log, judge, f"judge_accuracy(unparsed={unparsed})")
            assert found == [pytest.approx(want.accuracy.value)]
        for unparsed in ("exclude", "tie"):
            want = against_people(log, judge, on_unparsed=unparsed).majority
            names = [f"judge_{what}(unparsed={unparsed})" for what in ("precision", "recall", "f1")]
            assert figures(log, judge, *names) == pytest.approx(
                [want.precision.value, want.recall.value, want.f1.value]
            )


def test_people_are_raters_too(tmp_path: Path) -> None:
    log = log_of_pairs(tmp_path)
    want = [one.value for one in human_kappas(log).values()]
    found = [
        *figures(log, "ann", "judge_kappa(with=bob)", "judge_kappa(with=cleo)"),
        *figures(log, "bob", "judge_kappa(with=cleo)"),
    ]
    assert found == pytest.approx(want)
    one = scenario(metrics=["judge_kappa(with=ann)", "judge_accuracy"])
    alone = score(one, one.prepare(log), "ann")
    assert not alone.scores["judge_kappa(with=ann)"].scored.any()  # nobody is measured by themselves
    # a person is held against the majority of the others: of two, where they agree
    votes = {row["item"]: row["human"] for row in pairs()}
    agreed = [(mine, his) for mine, his, hers in votes.values() if his == hers]
    assert value(one, alone, "judge_accuracy") == pytest.approx(np.mean([a == b for a, b in agreed]))


def test_judges_against_each_other_on_the_same_order(tmp_path: Path) -> None:
    rows = list(pairs())
    said: dict[str, dict[tuple[str, str], str]] = {"sharp": {}, "dull": {}}
    for row in rows:
        if "verdict" in row:
            said[row["judge"]][row["item"], row["order"]] = row["verdict"]
    both = [(said["sharp"][key], said["dull"][key]) for key in said["sharp"] if key in said["dull"]]
    table = np.zeros((3, 3))
    for a, b in both:
        table[VERDICTS.index(a), VERDICTS.index(b)] += 1
    share = table / table.sum()
    chance = float(share.sum(axis=1) @ share.sum(axis=0))
    want = (float(np.trace(share)) - chance) / (1 - chance)
    log = written(rows, tmp_path, annotators=PEOPLE)
    assert figures(log, "sharp", "judge_kappa(with=dull)") == [pytest.approx(want)]
    assert figures(log, "dull", "judge_kappa(with=sharp)") == [pytest.approx(want)]
    assert kappa_of(table.reshape(1, 9))[0] == pytest.approx(want)


def test_an_interval_resamples_prompts_with_all_their_judgements(tmp_path: Path) -> None:
    log = log_of_pairs(tmp_path)
    one = scenario(metrics=["judge_accuracy", "judge_kappa"])
    scored = score(one, one.prepare(log), "sharp")
    assert len(scored.units) == 15
    for metric, found in zip(
        one.metrics(), intervals([m.sample(scored.scores[m.id]) for m in one.metrics()], seed=1), strict=True
    ):
        assert found.value == pytest.approx(value(one, scored, metric.id))
        assert found.n == 15
        assert found.low < found.value < found.high


def orders(folder: Path, seed: int = 3) -> Path:
    """A folder in LLMBar's form: verdicts of two judges, and the statistics that its code makes of them."""
    rng = np.random.default_rng(seed)
    columns = "subset,evaluator,strategy,item,label,winner_noswap,winner_swap_unswapped,completion_noswap"
    rows, published = [], {}
    for subset in ("Natural", "Adversarial"):
        labels = [str(one) for one in rng.integers(1, 3, 30)]
        for judge, skill in (("GPT", 0.9), ("Llama", 0.55)):
            sides: list[list[str]] = [[], [], []]
            for item, label in enumerate(labels):
                said = [label if rng.random() < skill else str(3 - int(label)) for _ in range(2)]
                said = ["" if rng.random() < 0.05 else one for one in said]
                for side, one in zip(sides, (label, *said), strict=True):
                    side.append(one)
                shown = {"1": "(a)", "2": "(b)"}.get(said[0], "either")
                rows.append(
                    [subset, judge, "CoT", item, label, *said, f"Therefore, Output {shown} is better."]
                )
            published[f"{subset}|{judge}|CoT"] = upstream(*sides)
    folder.mkdir(parents=True)
    with (folder / "judgements.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns.split(","))
        writer.writerows(rows)
    (folder / "published_statistics.json").write_text(json.dumps(published), encoding="utf-8")
    return folder


def upstream(label: list[str], given: list[str], swapped: list[str]) -> dict[str, Any]:
    """LLMBar's statistics by their definitions, with the coding of its kappas."""
    n = len(label)
    right = [[a == b for a, b in zip(side, label, strict=True)] for side in (given, swapped)]
    coded = [[1 if one == "1" else 0 for one in side] for side in (given, swapped)]
    truth = [int(one) for one in label]

    def kappa(one: list[int], two: list[int]) -> float:
        agreed = sum(a == b for a, b in zip(one, two, strict=True)) / n
        chance = sum(one.count(c) * two.count(c) for c in (0, 1, 2)) / n / n
        return (agreed - chance) / (1 - chance)

    kappas = [kappa(side, truth) for side in coded]
    both = sum(a and b for a, b in zip(*right, strict=True))
    equal = sum(a == b for a, b in zip(given, swapped, strict=True))
    return {
        "correct_False": f"{sum(right[0])} / {n} = {100 * sum(right[0]) / n}%",
        "correct_True": f"{sum(right[1])} / {n} = {100 * sum(right[1]) / n}%",
        "correct_average": f"{100 * (sum(right[0]) + sum(right[1])) / 2 / n}%",
        "correct_both": f"{both} / {n} = {100 * both / n}%",
        "equal": f"{equal} / {n} = {100 * equal / n}%",
        "kappa_False": kappas[0],
        "kappa_True": kappas[1],
        "kappa_average": sum(kappas) / 2,
        "kappa_agreement": kappa(*coded),
    }


def llmbar_suite(folder: Path) -> dict[str, Any]:
    options = resolve("reproduce/llmbar").resolved["scenarios"]["orders"]["options"]
    return {
        "name": "s",
        "data": {"llmbar": {"dataset": "llmbar", "options": {"path": str(folder)}}},
        "models": {"gpt": {"adapter": "logged", "arm": "GPT.CoT"}, "Llama.CoT": {"adapter": "logged"}},
        "scenarios": {"orders": {"scenario": "recorded-judgements", "data": "llmbar", "options": options}},
    }


def test_figures_that_came_with_the_data_are_claims(tmp_path: Path) -> None:
    folder = orders(tmp_path / "llmbar")
    run = genrec_eval.run(llmbar_suite(folder), out=tmp_path / "run", quiet=True)
    rows = run.results.verdicts
    assert len(rows) == 36  # nine of two judges on two subsets
    assert {row.verdict for row in rows} == {Ruling.PASS}
    assert all(row.gate and row.where is None for row in rows)
    assert {row.model for row in rows} == {"gpt", "Llama.CoT"}
    assert max(abs((row.value or 9) - row.margin) for row in rows) < 1e-12
    assert run.exit_code is Exit.PASS
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "4 of 4 published figures reproduced: Kappa of both orders" in page
    assert "published figures reproduced" in summary(run.parsed)


def test_a_figure_that_is_not_reproduced_fails_the_run_and_is_named(tmp_path: Path) -> None:
    folder = orders(tmp_path / "llmbar")
    path = folder / "published_statistics.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    published["Natural|GPT|CoT"]["correct_both"] = "30 / 30 = 100.0%"
    path.write_text(json.dumps(published), encoding="utf-8")
    run = genrec_eval.run(llmbar_suite(folder), out=tmp_path / "run", quiet=True, report=False)
    (failed,) = [row for row in run.results.verdicts if row.verdict is not Ruling.PASS]
    assert (failed.model, failed.slice) == ("gpt", "category=Natural")
    assert failed.verdict is Ruling.FAIL
    assert "published 100 % (difference −" in failed.reason
    assert run.exit_code is Exit.CLAIM_FAILED
    again = api.score(tmp_path / "run")
    assert again.results.verdicts == run.results.verdicts
    path.write_text(json.dumps({"Natural|GPT|CoT": {"equal": "most"}}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"published statistic equal of Natural\|GPT\|CoT is no number"):
        genrec_eval.run(llmbar_suite(folder), out=tmp_path / "other", quiet=True, report=False)


def test_data_that_are_not_there_are_not_run_and_say_where_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENREC_EVAL_DATA", raising=False)
    run = genrec_eval.run("reproduce/pandalm", out=tmp_path / "run", quiet=True)
    assert {row.verdict for row in run.results.verdicts} == {Ruling.NOT_RUN}
    assert len(run.results.verdicts) == 13
    assert "GENREC_EVAL_DATA is not set" in run.results.verdicts[0].reason
    assert "github.com/WeOpenML/PandaLM" in run.results.verdicts[0].reason
    assert run.exit_code is Exit.INCOMPLETE
    due = {(row.scenario, row.model) for row in run.results.coverage if row.due}
    assert due == {
        ("texts", "gpt-3.5-turbo"),
        ("labels", "pandalm-7b"),
        *(("people", f"annotator{number}") for number in (1, 2, 3)),
    }
    assert "github.com/WeOpenML/PandaLM" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    monkeypatch.setenv("GENREC_EVAL_DATA", str(tmp_path))
    with_folder = genrec_eval.run("reproduce/llmbar", out=tmp_path / "two", quiet=True, report=False)
    assert with_folder.exit_code is Exit.INCOMPLETE  # no claim of the data is there to be missed
    assert "no such file or folder" in (with_folder.results.coverage[0].reason or "")


def ratings(folder: Path, seed: int = 5) -> JudgementLog:
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(40):
        level = rng.integers(1, 6)
        for repeat in range(1 + item % 4):
            given = float(np.clip(level + rng.integers(-1, 2), 1, 5))
            row = {"item": f"i{item}", "unit": f"u{item // 2}", "system": f"s{item % 3}", "judge": "j"}
            rows.append(row | {"repeat": repeat, "score": given})
    return written(rows, folder)


def test_repeats_against_the_judge_audit(tmp_path: Path) -> None:
    log = ratings(tmp_path)
    want = stability(verdicts_of(log.judgements()), seed=None)
    spelled = ("repeat_agreement", "repeat_agreement(of=all)", "repeat_deviation", "repeat_alpha")
    found = figures(log, "j", *spelled, "repeat_alpha(scale=ordinal)", "recorded_score")
    measures = (want.pairs, want.identical, want.deviation, want.alpha, want.ordinal)
    assert found[:5] == pytest.approx([one.value for one in measures])
    assert found[5] == pytest.approx(np.mean(log.table["score"].to_pylist()))


def test_nominal_alpha_of_pairs(tmp_path: Path) -> None:
    rows = [
        {"item": f"i{item}", "system": "x", "other": "y", "judge": "j", "repeat": repeat, "verdict": verdict}
        for item in range(12)
        for repeat, verdict in enumerate((VERDICTS[item % 3], VERDICTS[(item * item) % 3]))
    ]
    log = written(rows, tmp_path)
    want = stability(verdicts_of(log.judgements()), seed=None)
    assert figures(log, "j", "repeat_alpha(scale=nominal)") == [pytest.approx(want.alpha.value)]
    one = scenario(metrics=["repeat_alpha", "repeat_deviation"])
    scored = score(one, one.prepare(log), "j")
    assert not any(found.scored.any() for found in scored.scores.values())  # words are no numbers


def test_texts_are_read_by_the_dialect_and_turned_for_the_order_shown(tmp_path: Path) -> None:
    texts = {
        ("a", "given"): ("I prefer it. [[A]]", "first"),
        ("a", "swapped"): ("I prefer it. [[A]]", "second"),  # shown first was the second of the pair
        ("b", "given"): ("[[C]]", "tie"),
        ("b", "swapped"): ("[[A]]", "first"),  # recorded as shown, not as given
        ("c", "given"): ("Neither, sorry.", None),
        ("c", "swapped"): ("$ERROR$", None),
    }
    rows = []
    for (item, order), (raw, verdict) in texts.items():
        row = {"item": item, "system": "x", "other": "y", "judge": "j", "order": order, "raw": raw}
        status = {"status": "api_error" if "$" in raw else "unparsed"}
        rows.append(row | ({"verdict": verdict} if verdict else status))
    log = written(rows, tmp_path)
    wanted = ("read_as_recorded", "no_verdict", "positional_agreement", "first_share")
    assert figures(log, "j", *wanted, dialect="mtbench-pair") == pytest.approx([5 / 6, 2 / 6, 0, 1])
    recorded = figures(log, "j", *wanted, dialect="mtbench-pair", verdicts="recorded")
    assert recorded == pytest.approx([5 / 6, 2 / 6, 0, 2 / 3])
    one = scenario(metrics=["no_verdict"], dialect="mtbench-pair")
    prepared = one.prepare(log)
    assert "1 of 6 recorded calls failed" in (score(one, prepared, "j").remark or "")
    assert "c · x and y (swapped)" in prepared.facts["told"]["Calls that failed"]
    kept = prepared.context["texts"].to_pylist()
    assert [row["text"] for row in kept] == [raw for raw, _ in texts.values()]
    assert [row["as_recorded"] for row in kept] == [True, True, True, False, True, True]


def test_win_rates_of_systems(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    preference = {name: rng.random(30).round(3) for name in ("x", "z")}
    rows = [
        {"item": f"i{item}", "system": name, "other": "base", "judge": "j", "score": p}
        | {"verdict": "first" if p > 0.5 else "second" if p < 0.5 else "tie"}
        | {"length": 100 + item, "other_length": 120}
        for name, values in preference.items()
        for item, p in enumerate(values.tolist())
    ]
    log = written(rows, tmp_path)
    spelled = ("win_rate", "win_rate(discrete=true)", "win_rate_error")
    for name, values in preference.items():
        want = [values.mean(), (values > 0.5).mean(), values.std(ddof=1) / 30**0.5]
        assert figures(log, name, *spelled, by=["system"]) == pytest.approx(want)
    with pytest.raises(UsageError, match="needs the difficulty of the prompts"):
        figures(log, "x", "length_control", by=["system"])


def test_what_cannot_be_asked_of_a_log(tmp_path: Path) -> None:
    log = log_of_pairs(tmp_path)
    for options, sentence in (
        ({"metrics": ["judge_kappa(with=an)"]}, r"no rater 'an'; did you mean 'ann'\? \(raters: ann, bob"),
        ({"metrics": ["win_rate"]}, "add system to by"),
        ({"metrics": ["ndcg@10"]}, "is about lists, not about judgements"),
        ({"groups": ["category"], "metrics": ["no_verdict"]}, "within prompt 'u4'"),
        ({"dialect": "mt-bench-pair"}, "did you mean 'mtbench-pair'"),
    ):
        if "groups" in options:
            rows = [row | {"category": row["item"]} for row in pairs()]
            log = written([{**row, "unit": "u4"} for row in rows], tmp_path, annotators=PEOPLE)
        with pytest.raises(UsageError, match=sentence):
            scenario(**options).prepare(log)
    with pytest.raises(UsageError, match="is the name of a judge and of a person"):
        scenario().prepare(written(list(pairs()), tmp_path, annotators=("sharp", "bob", "cleo")))
    torn = [row | {"human": ["tie"] * 3} if row["judge"] == "dull" else row for row in pairs()]
    with pytest.raises(UsageError, match=r"item 'i0': ann says 'tie' in one row and '\w+' in another"):
        scenario().prepare(written(torn, tmp_path, annotators=PEOPLE))
    with pytest.raises(UsageError, match="needs data"):
        scenario().prepare(None)
    with pytest.raises(ValidationError, match="names a column twice"):
        scenario(groups=["category", "category"])


def recorded(real_data: Path, name: str, **options: str) -> JudgementLog:
    folder = real_data / "judgements" / name
    if not folder.is_dir():
        pytest.skip(f"no recorded judgements of {name}")
    return DATASETS.get(name)(path=str(folder), **options).load(Path(), 1)


def suites(name: str, scenario_name: str) -> RecordedJudgements:
    found = resolve(f"reproduce/{name}").scenario(scenario_name)
    assert isinstance(found, RecordedJudgements)
    return found


def masks(prepared: Prepared, scored: ScoredUnits) -> dict[str, np.ndarray]:
    found = {"all": np.ones(len(scored.units), bool)}
    for group, values in scored.groups.items():
        for one in set(values.to_pylist()):
            found[f"{group}={one}"] = np.array(values.to_pylist()) == one
    return found


def apart(one: RecordedJudgements, prepared: Prepared) -> list[tuple[float, float, float]]:
    """Ours, published and tolerance of every figure that came with the data."""
    checks = one.published(prepared.context, {arm: arm for arm in set(prepared.cases["arm"].to_pylist())})
    by_arm: dict[str, list[Any]] = {}
    for check in checks:
        by_arm.setdefault(str(check.model), []).append(check)
    found = []
    for arm, own in by_arm.items():
        scored = score(one, prepared, arm)
        slices = masks(prepared, scored)
        found += [
            (value(one, scored, check.metric, slices[check.slice]), check.margin, check.tolerance)
            for check in own
        ]
    return found


def test_all_statistics_of_llmbar(real_data: Path) -> None:
    log = recorded(real_data, "llmbar")
    one = suites("llmbar", "orders")
    found = apart(one, one.prepare(log))
    assert len(found) == 349 * 9
    assert max(abs(ours - theirs) for ours, theirs, _ in found) < 1e-12
    declared = resolve("reproduce/llmbar").suite.models
    assert set(declared) == {f"{judge}.{arm}" for judge, arm in zip(*names(log), strict=True)}


def names(log: JudgementLog) -> list[list[str]]:
    return [log.table[column].to_pylist() for column in ("judge", "arm")]


def test_leaderboard_of_alpaca_eval(real_data: Path) -> None:
    one = suites("alpaca-eval", "leaderboard")
    found = apart(one, one.prepare(recorded(real_data, "alpaca-eval")))
    assert len(found) == 60
    assert all(abs(ours - theirs) <= tolerance for ours, theirs, tolerance in found)
    exact = [abs(ours - theirs) for ours, theirs, tolerance in found if tolerance < 1e-6]
    assert len(exact) == 30
    assert max(exact) < 1e-12
    for column in (4, 5):  # refitted, without and with what stands in for the reruns
        ours, theirs = (np.argsort(np.argsort([row[side] for row in found[column::6]])) for side in (0, 1))
        assert np.corrcoef(ours, theirs)[0, 1] > 0.95


def test_pandalm_and_mt_bench_as_suites(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(real_data, "pandalm")
    recorded(real_data, "mtbench")
    monkeypatch.setenv("GENREC_EVAL_DATA", str(real_data.resolve()))
    for name, count in (("pandalm", 13), ("mt-bench", 4)):
        run = genrec_eval.run(f"reproduce/{name}", out=tmp_path / name, quiet=True, report=False)
        assert [row.verdict for row in run.results.verdicts] == [Ruling.PASS] * count
        assert run.exit_code is Exit.PASS
    told = " ".join(
        filter(None, (getattr(row, "remark", None) or row.reason for row in run.results.coverage))
    )
    for question in ("81/1", "82/1", "83/1", "84/1", "124/1", "125/1"):
        assert question in told  # calls that failed are named


def test_repeats_of_gpt4(real_data: Path) -> None:
    log = recorded(real_data, "prometheus-repeat")
    one = suites("prometheus-repeat", "repeats")
    scored = score(one, one.prepare(log), "gpt-4")
    want = {
        "repeat_agreement": 0.67865,
        "repeat_agreement(of=all)": 0.53125,
        "repeat_deviation": 0.44253,
        "repeat_alpha": 0.85163,
        "repeat_alpha(scale=ordinal)": 0.78122,
        "no_verdict": 0.0,
    }
    assert {name: value(one, scored, name) for name in want} == pytest.approx(want, abs=1e-5)
