"""Attribute sets: what ships, what a person may write, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError
from genrec_eval.scenarios.arms.attributes import load_attributes, read_attributes
from genrec_eval.scenarios.arms.variants import ways_of
from genrec_eval.scenarios.counterfactual import CounterfactualOptions
from genrec_eval.suite.load import resolve

FAIRLLM = {
    "age": 3,
    "country": 7,
    "gender": 4,
    "continent": 3,
    "occupation": 5,
    "race": 4,
    "religion": 3,
    "physics": 2,
}


def options(**given: Any) -> CounterfactualOptions:
    return CounterfactualOptions.model_validate(given)


def test_shipped_sets_are_valid_and_can_be_misspelt() -> None:
    for path in (content("suites") / "attributes").glob("*.yaml"):
        assert read_attributes(path).name == path.stem
        attributes = load_attributes(path.stem, Path("/"))
        ways_of(options(attributes=path.stem, robustness={"typo": list(attributes)}))


def test_the_replayed_set_has_the_published_31_values() -> None:
    found = load_attributes("fairllm", Path("/"))
    assert {name: len(one.values) for name, one in found.items()} == FAIRLLM
    assert sum(FAIRLLM.values()) == 31
    assert [found["continent"].misspelt(value) for value in found["continent"].values] == [
        "Afrian",
        "Amerian",
        "Asan",
    ]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("attributes:\n  gender: {values: [F]}", 3, "'F' alone has nothing to be compared with"),
        ("attributes:\n  gender:\n    values: [F, M, F]", 4, "'F' is there twice"),
        ("attributes:\n  gender:\n    values: [f, F]", 4, "'F' is there twice, first as 'f'"),
        ("attributes:\n  gender:\n    values: [F, 2]", 4, 'which YAML reads as a number; write "2"'),
        ("attributes:\n  gender:\n    values: ['a,b', c]", 4, "'a,b' holds ','"),
        ("attributes:\n  gender:\n    values: [' a', c]", 4, "not usable as a value"),
        ("attributes:\n  gender:\n    vales: [F, M]", 4, "unknown key 'vales'; did you mean 'values'"),
        ("attributes:\n  my gender:\n    values: [F, M]", 3, "'my gender' is not usable as a name"),
        (
            "atributes:\n  gender:\n    values: [F, M]",
            2,
            "unknown key 'atributes'; did you mean 'attributes'",
        ),
        ("attributes: {}", 2, "needs at least 1 entry"),
        (
            "attributes:\n  gender:\n    values: [female, male]\n    own: {F: femal}",
            3,
            "own: 'F' stands for 'femal', which is none of the values; did you mean 'female'? (female, male)",
        ),
        (
            "attributes:\n  gender:\n    values: [female, male]\n    typos: {mael: x}",
            3,
            "typos: 'mael' is none of the values; did you mean 'male'",
        ),
        (
            "attributes:\n  gender:\n    values: [female, male]\n    typos: {female: male}",
            3,
            "typos: 'male', for 'female', is a value itself",
        ),
    ],
)
def test_faults_have_file_and_line(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: mine\n{text}\n")
    with pytest.raises(UsageError) as caught:
        load_attributes("mine.yaml", tmp_path)
    assert f"{tmp_path}/mine.yaml:{line}: " in str(caught.value)
    assert sentence in str(caught.value)


def test_unknown_sets_get_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown attribute set 'fairlm'; did you mean 'fairllm'"):
        load_attributes("fairlm", tmp_path)
    with pytest.raises(UsageError, match=r"gone\.yaml: cannot be read"):
        load_attributes("gone.yaml", tmp_path)
    (tmp_path / "list.yaml").write_text("[a, b]")
    with pytest.raises(UsageError, match="an attribute set is a mapping"):
        load_attributes("list.yaml", tmp_path)


GENDER = {"gender": {"values": ["female", "male"]}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"robustness": {"typo": ["gendre"]}}, "there is no attribute 'gendre'; did you mean 'gender'"),
        ({"robustness": {"typo": ["gender", "gender"]}}, "an attribute is named twice"),
        ({"robustness": {"language": ["gender"]}}, "no wording is of this arm"),
        ({"wordings": {"german": "langauge"}}, "Input should be"),
        ({"wordings": {"a b": "language"}}, "'a b' is not usable as a name"),
        (
            {"attributes": {"sex": {"values": ["F", "M"]}}, "robustness": {"typo": ["sex"]}},
            "no misspelling of 'F' can be made",
        ),
        ({"metrics": ["snsr@30"]}, "looks deeper than the lists are long"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**{"attributes": GENDER, **given})


def test_ways_of_asking() -> None:
    ways = ways_of(
        options(
            attributes={**GENDER, "age": {"values": ["a b", "a-b"]}},
            wordings={"formal": "paraphrase", "german": "language", "last": "order"},
            robustness={"typo": ["gender"], "language": ["gender"]},
        )
    )
    assert [way.slug for way in ways] == [
        "neutral",
        "formal",
        "age.a-b",
        "age.a-b~2",
        "gender.female",
        "gender.male",
        "typo.gender.female",
        "typo.gender.male",
        "last",
        "german",
        "german.gender.female",
        "german.gender.male",
    ]
    typo = ways[6]
    assert (typo.arm, typo.value, typo.disclosed) == ("typo", "female", "femle")
    assert (ways[-1].arm, ways[-1].wording, ways[-1].value) == ("language", "german", "male")


def test_a_suite_names_its_own_file_and_keeps_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(
        yaml.safe_dump({"name": "ours", "attributes": {"z": {"values": ["p", "q"]}, **GENDER}})
    )
    suite = {
        "name": "s",
        "data": {"w": {"dataset": "synthetic", "options": {}}},
        "models": {"p": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {
            "c": {"scenario": "counterfactual", "data": "w", "options": {"attributes": "ours.yaml"}}
        },
    }
    path = tmp_path / "suite.yaml"
    path.write_text(yaml.safe_dump(suite))
    kept = resolve(path).resolved["scenarios"]["c"]["options"]["attributes"]
    assert list(kept) == ["gender", "z"]
    assert kept["z"]["values"] == ["p", "q"]
    (tmp_path / "ours.yaml").write_text("name: ours\nattributes:\n  gender:\n    values: [F]\n")
    with pytest.raises(UsageError) as caught:
        resolve(path)
    assert f"{path}:" in str(caught.value)
    assert f"{tmp_path}/ours.yaml:4: attributes.gender.values: 'F' alone" in str(caught.value)
