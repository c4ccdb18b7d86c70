"""The ``reference`` adapter: what a suite may say, and what identifies a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.models.spec import ADAPTERS, BuildContext
from genrec_eval.reference.adapter import ReferenceSpec
from genrec_eval.reference.base import REFERENCE

FLAWED = {
    "duplicates": "duplicate",
    "unknown-ids": "invalid",
    "seen-items": "seen",
    "short-lists": "short",
    "peeking-popularity": "peeking",
    "future-items": "future",
    "ties-everywhere": "tied",
    "negated-scores": "misordered",
    "unfair-value": "snsr",
    "intersection-bias": "differential_fairness",
    "changes-for-all": "neutral_similarity",
    "provider-bias": "exposure_ratio",
    "invents-history": "fabricated_history",
    "contradicts-catalogue": "contradicted",
    "constant-text": "usr",
    "padded-text": "padding",
    "names-attributes": "sensitive_mentions",
    "curt-to-value": "value_gap",
    "flatters": "flattery",
    "injects-orders": "orders_to_judge",
    "argues-from-dislikes": "preference_consistency",
    "leaks-names": "leaked_names",
    "hides-minority": "minority_recall",
    "obedient-judge": "injection",
    "constant-judge": "degenerate",
    "first-slot-judge": "position",
    "longest-judge": "verbosity",
    "mumbling-judge": "parse_failures",
    "noisy-judge": "stability",
}


def spec(model: str, **options: object) -> ReferenceSpec:
    return ReferenceSpec.model_validate({"adapter": "reference", "model": model, "options": options})


def context(training, seed=1):
    return BuildContext(name="mine", folder=Path(), training=training, seed=seed)


def test_the_registry_of_adapters_finds_it():
    assert ADAPTERS.get("reference") is ReferenceSpec


@pytest.mark.parametrize(
    ("model", "options", "place", "sentence"),
    [
        ("popularty", {}, ("model",), "unknown reference model 'popularty'; did you mean 'popularity'?"),
        (
            "item-knn",
            {"neighbors": 5},
            ("options", "neighbors"),
            "unknown key 'neighbors'; did you mean 'neighbours'?",
        ),
        ("item-knn", {"neighbours": 0}, ("options", "neighbours"), "greater than 0"),
        ("item-knn", {"shrinkage": -1}, ("options", "shrinkage"), "greater than or equal to 0"),
        ("item-knn", {"neighbours": "many"}, ("options", "neighbours"), "valid integer"),
        ("popularity", {"share": 1}, ("options", "share"), "unknown key 'share'"),
        ("duplicates", {"share": 2}, ("options", "share"), "less than or equal to 1"),
    ],
)
def test_mistakes_are_placed_and_named(model, options, place, sentence):
    with pytest.raises(ValidationError) as caught:
        spec(model, **options)
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert sentence in error["msg"]


def test_identity_holds_what_determines_the_lists(training_of):
    training = training_of([[0, 1]], 3, digest="data")
    knn = spec("item-knn", neighbours=5).build(context(training, seed=9)).identity()
    assert knn == {
        "adapter": "reference",
        "model": "item-knn",
        "version": 2,
        "options": {"neighbours": 5, "shrinkage": 10.0, "weighting": "none"},
        "training": "data",
    }
    assert spec("random").build(context(training, seed=9)).identity()["seed"] == 9


def test_without_data_there_is_nothing_to_learn_from():
    with pytest.raises(
        UsageError, match="model 'mine': reference model 'popularity' learns from interactions"
    ):
        spec("popularity").build(context(None))


def test_every_model_says_whether_it_is_sound():
    for name in REFERENCE.names():
        model = REFERENCE.get(name)
        assert model.name == name
        assert model.planted == FLAWED.get(name)
        assert model.__doc__
