"""The review-summary scenario: what it asks, what judges are shown, and whom it catches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.metrics.explanations.found import reader_of
from genrec_eval.metrics.explanations.opinions import OpinionReader
from genrec_eval.metrics.explanations.private_names import _catalogue_people, named_in
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.brief import Brief
from genrec_eval.protocol.requests import ChatRequest
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status
from genrec_eval.reference.writing.base import Writer
from genrec_eval.reference.writing.hides_minority import HidesMinority
from genrec_eval.reference.writing.leaks_names import LeaksNames
from genrec_eval.reference.writing.retrieval import RetrievalOptions, RetrievalWriter
from genrec_eval.reference.writing.template import TemplateWriter
from genrec_eval.scenarios.base import Case, Prepared
from genrec_eval.scenarios.summary import ALWAYS, ReviewSummary, SummaryOptions
from genrec_eval.scenarios.writing.score import Cases
from genrec_eval.scenarios.writing.texts import Written


def load(seed: int) -> Dataset:
    spec = {"users": 100, "items": 60, "interactions_per_user": 15, "reviews": 0.7}
    return SyntheticSpec.model_validate(spec).load(Path(), seed)


@pytest.fixture(scope="module")
def world() -> Dataset:
    return load(3)


def scenario(**options: Any) -> ReviewSummary:
    given = {"split": {"method": "leave-one-out"}, "max_items": 20, **options}
    return ReviewSummary(SummaryOptions.model_validate(given), 7)


def briefs(prepared: Prepared) -> list[Brief]:
    return [Brief.from_json(text) for text in prepared.cases.column("brief").to_pylist()]


def test_briefs_hold_training_reviews_alone(world: Dataset) -> None:
    prepared = scenario(max_items=None, max_reviews=None, min_reviews=3).prepare(world)
    assert prepared.training is not None
    trained = prepared.training.reviews
    assert trained is not None
    every = {
        item: sorted(row["text"] for row in trained.to_pylist() if row["item"] == item)
        for item in set(trained["item"].to_pylist())
    }
    shown = {brief.item.id: sorted(review.text for review in brief.reviews) for brief in briefs(prepared)}
    assert shown == {item: texts for item, texts in every.items() if len(texts) >= 3}
    assert len(trained) < len(world.reviews)  # type: ignore[arg-type]
    assert all(review.author for brief in briefs(prepared) for review in brief.reviews)
    assert all(brief.task == "summarise" and not brief.user for brief in briefs(prepared))


def test_samples_are_seeded_and_said(world: Dataset) -> None:
    prepared = scenario(max_reviews=6).prepare(world)
    assert len(prepared.cases) == 20
    assert {len(brief.reviews) for brief in briefs(prepared)} <= {5, 6}
    facts = prepared.facts
    assert facts["reviews_shown"] < facts["reviews_of_these_items"]
    assert 0 < facts["items_with_sampled_reviews"] <= 20 < facts["items_with_enough_reviews"]
    assert prepared.cases.equals(scenario(max_reviews=6).prepare(world).cases)
    other = ReviewSummary(scenario(max_reviews=6).options, 8).prepare(world)
    assert not prepared.cases.equals(other.cases)


def test_groups_are_of_items(world: Dataset) -> None:
    cases = scenario(max_items=None, groups=["year"]).prepare(world).cases
    assert {"group.popularity", "group.provider_group", "group.year"} <= set(cases.column_names)
    assert set(cases["group.popularity"].to_pylist()) <= {"head", "middle", "tail"}
    counts = dict.fromkeys(("head", "middle", "tail"), 0.0)
    log = world.interactions
    for item, group in zip(cases["item"].to_pylist(), cases["group.popularity"].to_pylist(), strict=True):
        seen = int((log.item == world.items.strings.index(item)).sum())
        counts[group] = max(counts[group], seen)
    assert counts["tail"] < counts["middle"] < counts["head"]


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (
            {"reviews": None},
            {},
            "has no reviews to sum up; the data set 'synthetic' has them with reviews: 0.5",
        ),
        ({}, {"min_reviews": 500, "max_reviews": None}, "has 500 training reviews (the most that one has is"),
        ({}, {"groups": ["yaer"]}, "have no column 'yaer'; did you mean 'year'?"),
        ({}, {"groups": ["genres"]}, "which cannot name groups"),
        ({}, {"metrics": ["ndcg@5"]}, "metric 'ndcg@5' is about lists, not about texts"),
    ],
)
def test_refusals(world: Dataset, change: dict[str, Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=r"^scenario 'review-summary'") as told:
        scenario(**options).prepare(replace(world, **change))
    assert said in str(told.value)


def test_reviews_without_marks_need_aspects(world: Dataset) -> None:
    assert world.reviews is not None
    plain = replace(world, reviews=world.reviews.select(["user", "item", "rating", "text"]))
    with pytest.raises(UsageError, match="list what items are judged by in the option aspects"):
        scenario().prepare(plain)
    prepared = scenario(aspects=["acting", "music"]).prepare(plain)
    assert briefs(prepared)[0].aspects == ("acting", "music")
    assert not any(review.positive for review in briefs(prepared)[0].reviews)
    with pytest.raises(UsageError, match="needs data"):
        scenario().prepare(None)
    with pytest.raises(ValidationError, match="below min_reviews"):
        scenario(min_reviews=9, max_reviews=8)


def test_one_question_and_another_wording_where_wanted(world: Dataset) -> None:
    asked: list[str] = []

    async def ask(request: Any) -> Answer:
        assert isinstance(request, ChatRequest)
        asked.append(request.messages[0].content)
        return Answer(status=Status.OK, response=ChatResponse(text="Fine.", finish_reason="stop"))

    for variants in ([], ["paraphrase"]):
        one = scenario(variants=variants)
        prepared = one.prepare(world)
        case = prepared.cases["case"][0].as_py()
        asyncio.run(one.play(prepared, Case(id=case, unit=case, row=0), ask))
    assert asked[0] == asked[1] != asked[2]
    assert Brief.read(asked[2]) == briefs(prepared)[0]


def records(prepared: Prepared, texts: Sequence[str | None]) -> list[pa.RecordBatch]:
    n = len(texts)
    return [
        pa.record_batch(
            {
                "case": prepared.cases["case"].combine_chunks(),
                "repeat": pa.array([0] * n, pa.int16()),
                "step": pa.array([0] * n, pa.int16()),
                "status": pa.array([str(Status.OK)] * n, pa.string()).dictionary_encode(),
                "text": pa.array(texts, pa.string()),
                "response": pa.nulls(n, pa.string()),
            }
        )
    ]


def test_judges_see_what_the_reviews_come_to(world: Dataset) -> None:
    one = scenario()
    prepared = one.prepare(world)
    shown = list(one.exhibits(prepared.cases, prepared.context, records(prepared, ["Fine."] * 20)))
    assert len(shown) == 20
    for exhibit, brief in zip(shown, briefs(prepared), strict=True):
        assert exhibit.context is not None
        assert exhibit.reference is not None
        assert Brief.read(exhibit.context) == brief
        aspect = exhibit.reference.partition("speak of the ")[2].partition(",")[0]
        praise, blame = (
            sum(aspect in getattr(review, side) for review in brief.reviews)
            for side in ("positive", "negative")
        )
        most = f"Of those who speak of the {aspect}, most find it {'strong' if praise > blame else 'weak'}."
        assert (most in exhibit.reference) == (praise != blame)
        counts = f"{aspect}: praised by {praise} and criticised by {blame} of {len(brief.reviews)} reviews"
        assert counts in exhibit.context
        assert "BRIEF" not in exhibit.prompt


def test_units_are_items(world: Dataset) -> None:
    one = scenario()
    prepared = one.prepare(world)
    scored = one.score(prepared.cases, prepared.context, records(prepared, ["The acting is superb."] * 20))
    assert scored.units.to_pylist() == prepared.cases["item"].to_pylist()
    assert set(scored.groups) == {"popularity", "provider_group"}
    assert set(ALWAYS) <= set(scored.scores)
    assert scored.remark is not None  # one text for all


def written(kind: type[Writer], asked: Cases, seed: int) -> Written:
    options = RetrievalOptions.model_validate({}) if kind is RetrievalWriter else None
    writer = kind(None, options, seed)
    made = [writer.write(brief) for brief in asked.briefs]
    every = [True] * len(made)
    return Written(
        pa.array(every).to_numpy(zero_copy_only=False),
        {0: [one.text for one in made]},
        {0: [one.contexts for one in made]},
    )


@pytest.mark.parametrize("seed", range(10))
def test_planted_flaws_are_found_and_sound_writers_pass(seed: int) -> None:
    """Ten worlds: every writer is on the right side of every margin, by a wide way."""
    prepared = ReviewSummary(scenario().options, seed).prepare(load(seed))
    asked = Cases.of(prepared.cases, prepared.context)
    flaws: dict[str, set[str]] = {}
    for kind in (TemplateWriter, RetrievalWriter, HidesMinority, LeaksNames):
        told = asked.explanations(written(kind, asked, seed))
        flaws[kind.name] = set()
        for name, (_, rule, margin) in ALWAYS.items():
            scores = metric(name)(told)
            value = float(scores.values[scores.scored].mean())
            if value > margin if rule == "at_most" else value < margin:
                flaws[kind.name].add(name)
        if kind is RetrievalWriter:
            for name in ("answer_faithfulness", "context_recall", "context_precision"):
                assert metric(name)(told).values.min() == 1
    assert flaws == {
        "template-writer": set(),
        "retrieval-writer": set(),
        "hides-minority": {"minority_recall"},
        "leaks-names": {"leaked_names"},
    }


def test_reading_of_reviews_agrees_with_how_the_world_made_them(world: Dataset) -> None:
    """Opinions and private names, read from the text alone, are those that the generator put in."""
    prepared = scenario().prepare(world)
    asked = Cases.of(prepared.cases, prepared.context)
    told = asked.explanations(written(TemplateWriter, asked, 0))
    reader, opinions, people = reader_of(told), OpinionReader(told.vocabulary), _catalogue_people(told)
    assert world.reviews is not None
    for row in world.reviews.to_pylist()[:400]:
        reading = reader.read(row["text"])
        held = {(a, True) for a in row["positive"]} | {(a, False) for a in row["negative"]}
        assert opinions.read(reading).held == held, row["text"]
        assert set(named_in(reading, people)) == set(row["names"]), row["text"]


def test_a_run_with_a_judge_says_who_hides_and_who_recalls(tmp_path: Path) -> None:
    options = {"users": 60, "items": 60, "interactions_per_user": 12, "reviews": 0.7}
    judging = [
        {"judge": "rules", "rubric": rubric, "task": "claims"} for rubric in ("claim-support", "claim-recall")
    ]
    suite = {
        "name": "small",
        "data": {"world": {"dataset": "synthetic", "options": options}},
        "models": {
            "sound": {"adapter": "reference", "model": "template-writer"},
            "onesided": {"adapter": "reference", "model": "hides-minority"},
        },
        "judges": {"rules": {"model": {"adapter": "reference", "model": "rubric-judge"}}},
        "scenarios": {
            "sums": {
                "scenario": "review-summary",
                "data": "world",
                "options": {"max_items": 12},
                "judging": judging,
            }
        },
    }
    run = genrec_eval.run(suite, out=tmp_path / "run", quiet=True, report=False)
    values = {
        (e.model, e.metric): e.value for e in run.results.estimates if e.slice == "all" and e.baseline is None
    }
    support, recall = (f"claim_{kind}(judge=rules,rubric=claim-{kind})" for kind in ("support", "recall"))
    assert values["sound", "minority_recall"] == 1
    assert values["onesided", "minority_recall"] == 0
    # what is left out is not wrong: precision stays, recall falls
    assert values["sound", support] == values["sound", recall] == values["onesided", support] == 1
    hidden = values["onesided", recall]
    assert hidden is not None
    assert hidden < 0.7
