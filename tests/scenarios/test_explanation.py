"""The explanation scenario: what it asks, what it shows, how it scores."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.brief import Brief
from genrec_eval.protocol.requests import ChatRequest
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status
from genrec_eval.scenarios.base import Case, Prepared, ScoredUnits
from genrec_eval.scenarios.explanation import Explanation, ExplanationOptions
from genrec_eval.scenarios.ranking.units import Units
from genrec_eval.scenarios.writing.asking import steps_of
from genrec_eval.scenarios.writing.score import Cases, swapped
from genrec_eval.scenarios.writing.units import over_repeats, over_units

Row = tuple[str, int, int, str | None]


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate(
        {"users": 60, "items": 80, "interactions_per_user": 12, "reviews": 0.7}
    )
    return spec.load(Path(), 3)


def scenario(**options: Any) -> Explanation:
    given = {"split": {"method": "leave-one-out"}, "max_users": 20, **options}
    return Explanation(ExplanationOptions.model_validate(given), 7)


def records(rows: list[Row], response: str | None = None) -> list[pa.RecordBatch]:
    """Rows of (case, repeat, step, text); a text of None was refused by the service."""
    case, repeat, step, text = zip(*rows, strict=True)
    status = [str(Status.ERROR if one is None else Status.OK) for one in text]
    columns = {
        "case": pa.array(case, pa.string()),
        "repeat": pa.array(repeat, pa.int16()),
        "step": pa.array(step, pa.int16()),
        "status": pa.array(status, pa.string()).dictionary_encode(),
        "text": pa.array(text, pa.string()),
        "response": pa.array([response] * len(case), pa.string()),
    }
    return [pa.record_batch(columns)]


def briefs(prepared: Prepared) -> list[Brief]:
    return [Brief.from_json(text) for text in prepared.cases.column("brief").to_pylist()]


def played(of: Explanation, prepared: Prepared, row: int, answer: Any) -> list[str]:
    """Texts of the requests that playing one case puts."""
    asked: list[str] = []

    async def ask(request: ChatRequest) -> Answer:
        asked.append(request.messages[-1].content)
        found = answer(request)
        return Answer(status=Status.REFUSED) if found is None else Answer(response=ChatResponse(text=found))

    name, unit = (prepared.cases.column(column)[row].as_py() for column in ("case", "unit"))
    asyncio.run(of.play(prepared, Case(id=name, unit=unit, row=row), ask))  # type: ignore[arg-type]
    return asked


# -- cases


def test_cases_are_held_out_pairs_with_what_the_training_knows(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    assert prepared.training is not None
    train = prepared.training.interactions
    users, items = prepared.training.users.strings, prepared.training.items.strings
    known = {
        (users[user], items[item]): rating
        for user, item, rating in zip(
            train.user.tolist(),
            train.item.tolist(),
            (train.rating if train.rating is not None else []),
            strict=True,
        )
    }
    reviewed = set()
    if prepared.training.reviews is not None:
        table = prepared.training.reviews
        reviewed = set(zip(table["user"].to_pylist(), table["item"].to_pylist(), strict=True))
    assert len(prepared.cases) == 20
    for brief in briefs(prepared):
        assert (brief.user, brief.item.id) not in known
        assert 0 < len(brief.history) <= 8
        for seen in brief.history:
            assert seen.rating == known[brief.user, seen.item.id]
            assert bool(seen.liked or seen.disliked) == ((brief.user, seen.item.id) in reviewed)
        assert brief.item.people.keys() == {"director", "cast"}
        assert brief.item.year is not None
        assert str(brief.item.year) not in brief.item.title
        assert not brief.profile


def test_reviews_shown_are_never_the_users_own_nor_held_out(world: Dataset) -> None:
    prepared = scenario(max_users=None, reviews=50).prepare(world)
    assert world.reviews is not None
    assert prepared.training is not None
    assert prepared.training.reviews is not None
    own = dict(
        zip(
            zip(world.reviews["user"].to_pylist(), world.reviews["item"].to_pylist(), strict=True),
            world.reviews["text"].to_pylist(),
            strict=True,
        )
    )
    trained = set(prepared.training.reviews["text"].to_pylist())
    shown = 0
    for brief in briefs(prepared):
        for review in brief.reviews:
            shown += 1
            assert review.text in trained
            assert own.get((brief.user, brief.item.id)) != review.text
    assert shown


def test_references_are_what_the_user_wrote_of_the_feature(world: Dataset) -> None:
    prepared = scenario(max_users=None).prepare(world)
    assert world.reviews is not None
    written = {(row["user"], row["item"]): row for row in world.reviews.to_pylist()}
    for row in prepared.cases.to_pylist():
        known = written.get((row["unit"], row["item"]))
        assert row["reference"] == (None if known is None else known["explanation"])
        assert row["feature"] == (None if known is None else known["feature"])
        assert row["rating"] in (1, 2, 3, 4, 5)
    assert 0 < prepared.facts["references"] < len(prepared.cases)


def test_without_reviews_it_plays_and_says_what_is_missing() -> None:
    plain = SyntheticSpec.model_validate({"users": 40, "items": 60, "interactions_per_user": 10}).load(
        Path(), 3
    )
    of = scenario(metrics=("supported", "fmr", "sentiment_gap"))
    prepared = of.prepare(plain)
    case = prepared.cases.column("case")[0].as_py()
    scored = of.score(prepared.cases, prepared.context, records([(case, 0, 0, "Nice.")]))
    assert scored.scores["fmr"].reasons["no-target-feature"].tolist()[0]
    assert set(prepared.context["vocabulary"]["feature"].to_pylist()) >= {"Comedy", "Drama"}


def test_the_seed_decides_and_nothing_else(world: Dataset) -> None:
    first, again = (scenario(cases_per_user=2, split={}).prepare(world) for _ in range(2))
    assert first.cases.equals(again.cases)
    assert len(set(first.cases["case"].to_pylist())) == len(first.cases) > 20


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"disclose": ["gnder"]}, "no column 'gnder'"),
        ({"groups": ["grop"]}, "no column 'grop'; did you mean 'group'?"),
        ({"metrics": ["ndcg@10"]}, "metric 'ndcg@10' is about lists, not about texts"),
        ({"metrics": ["supportd"]}, "did you mean 'supported'?"),
    ],
)
def test_refusals_are_sentences(world: Dataset, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        scenario(**options).prepare(world)
    assert sentence in str(caught.value)


def test_items_without_titles_are_refused(world: Dataset) -> None:
    from dataclasses import replace

    bare = replace(world, item_table=world.item_table.drop_columns(["title"]))
    with pytest.raises(UsageError, match="have no column 'title'"):
        scenario().prepare(bare)


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(ValidationError):
        ExplanationOptions.model_validate({"variants": ["backwards"]})


# -- asking


def test_one_question_and_one_per_variant(world: Dataset) -> None:
    of = scenario(disclose=("group",))
    prepared = of.prepare(world)
    brief = briefs(prepared)[0]
    seen = brief.history[-1].item
    asked = played(of, prepared, 0, lambda request: f"You watched {seen.title} ({seen.year}).")
    assert [Brief.read(text) == brief for text in asked[:2]] == [True, True]
    assert asked[0] != asked[1]
    removed = Brief.read(asked[2])
    assert {one.item.id for one in brief.history} - {one.item.id for one in removed.history} == {seen.id}
    assert "group" in asked[0]
    assert of.request(prepared, Case(id="x", unit=brief.user, row=0)).messages[0].content == asked[0]


def test_what_cites_nothing_has_no_counterfactual(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    assert len(played(of, prepared, 0, lambda request: "Nice.")) == 2
    assert len(played(of, prepared, 0, lambda request: None)) == 2
    assert len(played(scenario(variants=()), prepared, 0, lambda request: "Nice.")) == 1
    assert steps_of(("without_cited",)) == {"without_cited": 1}


def test_an_instruction_of_ones_own(world: Dataset) -> None:
    of = scenario(instruction="Persuade {user}.\n{brief}\nBe {brief}.", variants=("paraphrase",))
    prepared = of.prepare(world)
    first, second = played(of, prepared, 0, lambda request: "Nice.")
    assert first.startswith("Persuade {user}.")
    assert first.endswith("Be {brief}.")
    assert second.startswith("=====")
    assert Brief.read(first) == Brief.read(second) == briefs(prepared)[0]


# -- scoring


def score(of: Explanation, prepared: Prepared, rows: list[Row]) -> ScoredUnits:
    return of.score(prepared.cases, prepared.context, records(rows))


def test_scores_come_from_the_stored_tables_in_any_order(world: Dataset) -> None:
    of = scenario(metrics=("supported", "usr", "length", "counterfactual"))
    prepared = of.prepare(world)
    names = prepared.cases["case"].to_pylist()
    rows: list[Row] = []
    for name, brief in zip(names, briefs(prepared), strict=True):
        item = brief.item
        rows.append((name, 0, 0, f"{item.title} ({item.year}) is directed by {item.people['director'][0]}."))
        rows.append((name, 0, 1, "Nice."))
    there, back = score(of, prepared, rows), score(of, prepared, rows[::-1])
    assert there.scores["supported"].values.tolist() == back.scores["supported"].values.tolist() == [1.0] * 20
    assert there.scores["usr"].total == back.scores["usr"].total
    assert there.attempted.all()
    assert there.answered.all()


def test_cases_that_were_not_asked_or_not_answered(world: Dataset) -> None:
    of = scenario(metrics=("supported",))
    prepared = of.prepare(world)
    names = prepared.cases["case"].to_pylist()
    scored = score(
        of, prepared, [(names[0], 0, 0, None), (names[1], 0, 0, "Nice."), (names[2], 0, 1, "Late.")]
    )
    reasons = scored.scores["supported"].reasons
    assert [reasons[name].tolist().index(True) for name in ("no-text", "no-claims", "not-attempted")] == [
        0,
        1,
        2,
    ]
    assert scored.attempted.tolist()[:4] == [True, True, True, False]
    assert scored.answered.tolist()[:3] == [False, True, False]
    nothing = of.score(prepared.cases, prepared.context, [])
    assert not nothing.scores["supported"].scored.any()


def test_two_records_of_one_step_are_refused(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    name = prepared.cases["case"][0].as_py()
    with pytest.raises(UsageError, match="two records of repeat 0, step 0"):
        score(of, prepared, [(name, 0, 0, "a"), (name, 0, 0, "b")])


def test_several_cases_of_a_user_are_one_unit(world: Dataset) -> None:
    of = scenario(cases_per_user=3, split={}, metrics=("supported", "usr", "div"), max_users=15)
    prepared = of.prepare(world)
    rows: list[Row] = []
    for place, (name, brief) in enumerate(
        zip(prepared.cases["case"].to_pylist(), briefs(prepared), strict=True)
    ):
        right = place % 2 == 0
        year = brief.item.year if right else 1901
        rows.append(
            (name, 0, 0, f"{brief.item.title} is from {year}, with fine acting." if right else "Same text.")
        )
    scored = score(of, prepared, rows)
    units = Units.of(prepared.cases)
    assert len(scored.units) == 15 < len(prepared.cases)
    assert scored.scores["usr"].total == pytest.approx(len({row[3] for row in rows}) / len(rows))
    assert np.isfinite(scored.scores["usr"].values).all()
    assert units.of_case is not None
    share = scored.scores["supported"]
    assert share.weights is not None
    assert share.weights.sum() == 2 * sum(row[3] != "Same text." for row in rows)


def test_losses_of_several_cases_add_up_and_repeats_are_averaged() -> None:
    from genrec_eval.metrics.base import UnitScores

    units = Units(pa.array(["a", "b"]), np.array([0, 0, 1]))
    whole = UnitScores(values=np.array([0.1, 0.2, 0.3]), total=0.5, reach=0.3)
    found = over_units(whole, units)
    assert found.values.tolist() == pytest.approx([0.3, 0.3])
    assert (found.total, found.reach) == (0.5, 0.6)
    absent = UnitScores(
        values=np.array([0.2, 0.0, 0.0]),
        reasons={"no-text": np.array([False, True, False])},
        total=0.7,
        reach=0.2,
    )
    both = over_repeats([whole, absent])
    assert both.values.tolist() == pytest.approx([0.15, 0.1, 0.15])
    assert (both.total, both.reach) == (pytest.approx(0.6), pytest.approx(0.25))
    assert not any(mask.any() for mask in both.reasons.values())
    sums = [UnitScores(values=np.array([1.0]), sums=np.array([[1.0, n]])) for n in (2.0, 4.0)]
    assert over_repeats(sums).sums is not None
    assert over_repeats(sums).sums.tolist() == [[2.0, 6.0]]  # type: ignore[union-attr]


def test_swapped_briefs_have_another_user_and_item(world: Dataset) -> None:
    prepared = scenario(cases_per_user=2, split={}).prepare(world)
    own = briefs(prepared)
    others = swapped(prepared.cases, own)
    for mine, other in zip(own, others, strict=True):
        assert other is not None
        assert other.user != mine.user
        assert other.item.id != mine.item.id
    one = prepared.cases.slice(0, 1)
    assert swapped(one, own[:1]) == [None]


def test_a_constant_text_is_remarked_on(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    names = prepared.cases["case"].to_pylist()
    constant = score(of, prepared, [(name, 0, 0, "A fine choice.") for name in names])
    assert constant.remark == "20 of 20 texts are the same one: 'A fine choice.'"
    alike = score(of, prepared, [(name, 0, 0, f"A fine choice, {name}.") for name in names])
    assert alike.remark == "USR is saturated (100%), yet 100% of the texts open alike; read opening_share"
    different = score(of, prepared, [(name, 0, 0, f"{name} is a fine choice.") for name in names])
    assert different.remark is None


def test_passages_of_a_retrieving_model_are_read(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    name = prepared.cases["case"][0].as_py()
    wire = orjson.dumps({"text": "Nice.", "contexts": ["One.", "Two."]}).decode()
    from genrec_eval.scenarios.writing.texts import read_texts

    read = read_texts(prepared.cases, records([(name, 0, 0, "Nice.")], wire))
    explanations = Cases.of(prepared.cases, prepared.context).explanations(read.repeats[0])
    assert explanations.contexts[0] == ("One.", "Two.")
    assert explanations.contexts[1] is None


# -- judging


def test_judges_see_the_text_and_the_facts_and_not_who_wrote_it(world: Dataset) -> None:
    of = scenario()
    prepared = of.prepare(world)
    names = prepared.cases["case"].to_pylist()
    rows: list[Row] = [(names[0], 0, 0, "First."), (names[0], 1, 0, "Second."), (names[0], 0, 1, "Varied.")]
    shown = list(of.exhibits(prepared.cases, prepared.context, records(rows)))
    assert [(one.case, one.repeat, one.answer) for one in shown[:3]] == [
        (names[0], 0, "First."),
        (names[0], 1, "Second."),
        (names[1], 0, None),
    ]
    first = shown[0]
    assert first.context is not None
    assert Brief.read(first.context) == briefs(prepared)[0]
    assert "=====" not in first.prompt
    assert first.reference == prepared.cases["reference"][0].as_py()
    assert "rating" not in json.loads(prepared.cases["brief"][0].as_py())
    assert len(list(of.exhibits(prepared.cases, prepared.context, []))) == 20


# -- recorded texts


def test_recorded_texts_are_found_by_user_and_item(world: Dataset, tmp_path: Path) -> None:
    from genrec_eval.models.replay import ReplaySpec
    from genrec_eval.models.spec import BuildContext
    from genrec_eval.protocol.model import Call

    of = scenario(cases_per_user=2, split={}, variants=())
    prepared = of.prepare(world)
    asked = [
        of.request(prepared, Case(id="", unit=brief.user, row=row))
        for row, brief in enumerate(briefs(prepared))
    ]
    rows = [
        {"user": b.user, "item": b.item.id, "text": f"On {b.item.id} for {b.user}."} for b in briefs(prepared)
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[1:]))
    spec = ReplaySpec.model_validate({"adapter": "replay", "path": "texts.jsonl", "kinds": ["chat"]})
    model: Any = spec.build(BuildContext(name="mine", folder=tmp_path, seed=0, training=None))  # type: ignore[call-arg]
    answers = [asyncio.run(model.answer(request, Call())) for request in asked]
    assert answers[0].status is Status.MISSING
    assert (
        answers[0].error == f"no text is recorded for user '{rows[0]['user']}' and item '{rows[0]['item']}'"
    )
    assert [answer.response.text for answer in answers[1:]] == [row["text"] for row in rows[1:]]


# -- through the engine


WRITER = """
from genrec_eval.protocol.brief import Brief

def write(request):
    brief = Brief.read(request.messages[-1].content)
    item, seen = brief.item, brief.history[-1].item
    past, kind = f"You watched {seen.title} ({seen.year})", item.genres[0]
    return f"{past}, and {item.title} ({item.year}) is a {kind} film."
"""


def test_a_run_scores_and_scores_again(tmp_path: Path) -> None:
    import genrec_eval

    (tmp_path / "writer.py").write_text(WRITER)
    world = {"users": 60, "items": 60, "interactions_per_user": 10, "reviews": 0.5}
    suite = {
        "name": "small",
        "data": {"world": {"dataset": "synthetic", "options": world}},
        "models": {
            "mine": {"adapter": "python", "target": f"{tmp_path}/writer.py:write", "kinds": ["chat"]},
            "constant": {"adapter": "reference", "model": "constant-text"},
        },
        "scenarios": {
            "why": {
                "scenario": "explanation",
                "data": "world",
                "options": {"max_users": 25, "cases_per_user": 2, "groups": ["group"]},
            }
        },
    }
    run = genrec_eval.run(suite, out=tmp_path / "run", quiet=True, report=False)
    values = {
        (e.model, e.metric): e.value for e in run.results.estimates if e.slice == "all" and e.baseline is None
    }
    assert values["mine", "supported"] == 1.0
    assert values["mine", "counterfactual"] == 1.0
    assert values["mine", "paraphrase_stability"] == 1.0
    assert values["constant", "swap_fit"] == 1.0
    before = (tmp_path / "run" / "scores.parquet").read_bytes()
    records = run.records("mine", "why")
    assert sorted(records["step"].unique()) == [0, 1, 2]
    from genrec_eval.audit.score import score_run

    score_run(genrec_eval.load_run(tmp_path / "run").directory)
    assert (tmp_path / "run" / "scores.parquet").read_bytes() == before
