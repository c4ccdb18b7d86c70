"""Panels of counterfactual disclosure: sentences, users side by side, arms that fail, hostile titles."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import genrec_eval
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.fairness import examples as showing
from genrec_eval.reporting.fairness.arms import Likeness
from genrec_eval.reporting.fairness.noise import noise
from genrec_eval.reporting.fairness.quadrants import OUTCOMES, beyond_chance, quadrants
from genrec_eval.reporting.fairness.robust import robust
from genrec_eval.reporting.html import environment
from genrec_eval.reporting.page.assemble import material_of
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.svg import key

HOSTILE = "</li></details><script>alert(1)</script> \u202egnp {{ 7*7 }}"


def words(user: str, history: list[str], k: int, profile: dict[str, str], wording: str | None) -> list[str]:
    """Cares for who is female unless it is asked in German; a misspelling confuses it about some users."""
    said, first = profile.get("gender"), sum(map(ord, user)) % 7
    if said not in (None, "female", "male") and first == 0:
        raise ValueError("who?")
    moved = 3 * (said == "female" and wording != "german") + 1 * (wording == "german")
    return [f"i{(first + moved + place) % 60 + 1:02d}" for place in range(k)]


def suite(**scenario: Any) -> dict[str, Any]:
    options = {
        "k": 5,
        "max_users": 30,
        "attributes": {"gender": {"values": ["female", "male"], "own": {"F": "female", "M": "male"}}},
        "wordings": {"german": "language"},
        "robustness": {"typo": ["gender"], "language": ["gender"]},
        "similarities": ["jaccard"],
    }
    world = {"dataset": "synthetic", "options": {"users": 80, "items": 60, "interactions_per_user": 15}}
    return {
        "name": "arms",
        "seed": 4,
        "data": {"w": world},
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {
            "c": {"scenario": "counterfactual", "data": "w", "repeats": 2, "options": options, **scenario}
        },
    }


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("arms") / "run"
    genrec_eval.run(suite(), models={"words": words}, out=out, quiet=True, report=False)
    path = out / "cases" / "c@items.parquet"
    items = pq.read_table(path)
    if "title" in items.column_names:
        items = items.drop_columns(["title"])
    pq.write_table(items.append_column("title", pa.array([HOSTILE] * len(items))), path)
    return out


@pytest.fixture(scope="module")
def material(directory: Path) -> Material:
    return made(directory)


def made(directory: Path, change: Any = None) -> Material:
    document = json.loads((directory / "estimates.json").read_text())
    if change is not None:
        document["estimates"] = [change(dict(row)) for row in document["estimates"]]
    run = json.loads((directory / "run.json").read_text())
    return material_of(Results.read(document), run, directory)


def page(name: str, panel: Any, material: Material) -> str:
    keys = {model: key(at) for at, model in enumerate(material.order)}
    made = environment("run").from_string(
        '{% import "_cells.html.j2" as ui with context %}{% include "_fair_" ~ name ~ ".html.j2" %}'
    )
    return str(made.render(name=name, panel=panel, keys=keys))


def said(findings: Any, model: str) -> str:
    return next(one.text for one in findings if model in one.models)


def test_what_is_told_is_held_against_the_floor(material: Material) -> None:
    blocks = noise(material, "c")
    assert blocks is not None
    (block,) = blocks
    assert block.summary.startswith("Told gender, 1 model treats its values differently")
    assert "lists for 'female' are less like the neutral ones" in said(block.findings, "words")
    assert "beyond chance" in said(block.findings, "words")
    assert "no change beyond chance is shown" in said(block.findings, "popularity")
    assert block.findings[0].models == ("words",)  # the gravest first
    assert block.chart is not None
    assert block.chart.title.endswith("Jaccard@5")
    assert {row[1] for row in block.chart.rows} == {
        "neutral again",
        "neutral, other language",
        "female",
        "male",
    }
    assert all(line.p != "—" and line.adjusted != "—" and line.n == "30" for line in block.lines)
    html = page("noise", blocks, material)
    assert "SNSR over chance" in html
    assert "adjusted p" in html


def test_a_change_for_any_value_is_no_difference_and_said(directory: Path) -> None:
    def uniform(row: dict[str, Any]) -> dict[str, Any]:
        if row["model"] == "words" and row["metric"].startswith(("neutral_similarity", "relative")):
            row |= {"value": 0.41, "low": 0.39, "high": 0.43, "reason": None}
        if row["model"] == "words" and row["metric"].startswith("snsr_excess"):
            row |= {"value": 0.0, "low": -0.01, "high": 0.01, "p": 0.6, "p_adjusted": 1.0}
        return row

    (block,) = noise(made(directory, uniform), "c") or []
    text = said(block.findings, "words")
    assert "change for any value alike" in text
    assert "no difference between values is shown" in text
    assert "changes its lists for any value alike" in block.summary


def test_without_repeats_there_is_no_floor_and_no_all_clear(directory: Path) -> None:
    def once(row: dict[str, Any]) -> dict[str, Any]:
        if row["metric"].startswith(("neutral_noise@", "relative", "quadrant")):
            row |= {
                "value": None,
                "low": None,
                "high": None,
                "n": 0,
                "reason": "no unit is scored",
                "excluded": {"one-repeat": 30},
            }
        return row

    changed = made(directory, once)
    (block,) = noise(changed, "c") or []
    assert "no noise floor was asked" in said(block.findings, "popularity")
    assert "cannot be told" in said(block.findings, "popularity")
    assert "no noise floor was asked" in said(block.findings, "words")  # and still unlike by value
    (counted,) = quadrants(changed, "c") or []
    assert "could not be counted" in said(counted.findings, "words")
    assert "no noise floor was asked" in said(counted.findings, "words")
    assert counted.lines[0].excluded == "30 one repeat"
    assert not counted.shown


def test_users_stand_side_by_side_and_the_same_each_time(material: Material) -> None:
    blocks = quadrants(material, "c")
    assert blocks is not None
    (block,) = blocks
    assert block.shown
    assert [one.shown for one in quadrants(material, "c") or []] == [block.shown]
    for one in block.shown:
        assert one.model == "words"  # chance alone has no example
        assert one.example.value == "female"
        assert one.example.neutral.name.endswith("repeat 1")
        assert one.example.told.name.endswith("repeat 2")
        before, after = one.example.neutral.head, one.example.told.head
        both = {item.ident for item in before} & {item.ident for item in after}
        assert len(both) == one.example.shared == 2
        assert {item.ident for item in before if item.there} == both
        for item in before:
            assert not item.there or after[item.there - 1].ident == item.ident
        assert sum(item.wanted for item in after) == one.example.told.hits
        assert f"like neutral, told female {2 / 8}" in one.scores
    harmful = [one for one in block.shown if one.outcome == "harmful"]
    assert all(one.example.told.hits < one.example.neutral.hits for one in harmful)


def test_titles_are_text_and_nothing_else(material: Material) -> None:
    html = page("quadrants", quadrants(material, "c"), material)
    assert "<script" not in html
    assert "&lt;/li&gt;&lt;/details&gt;&lt;script&gt;" in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩" in html
    assert "{{ 7*7 }}" in html
    assert html.count("<details") == html.count("</details>")


def test_who_was_redacted_is_no_example(material: Material, directory: Path, tmp_path: Path) -> None:
    (block,) = quadrants(material, "c") or []
    user = block.shown[0].example.user
    (tmp_path / "evidence.json").write_text(
        json.dumps({"redactions": [{"cases": [f"{user}#neutral", "b#c#typo.x"], "scenario": None}]})
    )
    assert showing.redacted(tmp_path, "c") == {user, "b#c"}
    other = replace(material, directory=tmp_path)
    for name in ("cases", "records", "scores.parquet"):
        (tmp_path / name).symlink_to(directory / name)
    (again,) = quadrants(other, "c") or []
    assert again.shown
    assert user not in {one.example.user for one in again.shown}


def test_what_is_not_kept_is_counted(material: Material, directory: Path, tmp_path: Path) -> None:
    for name in ("cases", "scores.parquet"):
        (tmp_path / name).symlink_to(directory / name)
    (block,) = quadrants(replace(material, directory=tmp_path), "c") or []
    assert not block.shown
    assert re.search(r"\d examples? of this scenario cannot be shown: no lists kept", block.note)


def test_arms_are_held_against_plain_disclosure(material: Material) -> None:
    blocks = robust(material, "c")
    assert blocks is not None
    (block,) = blocks
    text = said(block.findings, "words")
    assert re.search(
        r"misspelt, it changes lists less: .* against 0\.\d+ told plainly; \d+ users? got no", text
    )
    assert "1 gives some users no list" in block.summary
    lines = {(one.model, one.way): one for one in block.lines}
    typo = lines["words", "misspelt"]
    failed = int(re.match(r"(\d+) arm failed", typo.failed)[1])  # type: ignore[index]
    assert failed > 0
    assert int(typo.users) == 30 - failed
    calm = lines["popularity", "in another language"]
    assert (calm.users, calm.failed) == ("30", "none")
    assert "no difference from plain disclosure is shown" in said(block.findings, "popularity")
    assert "users in the pairing" in page("robust", blocks, material)


def test_other_scenarios_have_no_such_panel(material: Material) -> None:
    results = replace(material.results, definitions={}, _metrics={})
    other = replace(material, results=results)
    assert (noise(other, "c"), quadrants(other, "c"), robust(other, "c")) == (None, None, None)


def row(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(
        model="m",
        scenario="c",
        metric="q",
        definition="q",
        value=value,
        low=low,
        high=high,
        interval="t",
        direction="none",
        n=100,
        attempted=100,
        answered=100,
        scored=100,
    )


@pytest.mark.parametrize(
    ("harmful", "beneficial", "unjustified", "expected"),
    [
        ((0.01, 0.005, 0.02), (0.01, 0.005, 0.02), (0.03, 0.02, 0.05), []),  # what noise gives
        ((0.10, 0.08, 0.12), (0.03, 0.02, 0.05), (0.0, 0.0, 0.01), ["harmful"]),
        ((0.03, 0.02, 0.04), (0.005, 0.0, 0.01), (0.0, 0.0, 0.01), ["harmful"]),  # lopsided is no chance
        ((0.2, 0.15, 0.25), (0.2, 0.15, 0.25), (0.5, 0.4, 0.6), ["harmful", "beneficial", "unjustified"]),
        ((0.9, None, None), (0.0, None, None), (0.5, None, None), []),
    ],
)
def test_only_what_chance_does_not_give_counts(
    harmful: Any, beneficial: Any, unjustified: Any, expected: list[str]
) -> None:
    rows = dict(zip(OUTCOMES, [row(*harmful), row(*beneficial), row(*unjustified), None], strict=True))
    assert beyond_chance(rows, 0.05) == expected


def test_no_two_likenesses_share_a_name() -> None:
    kinds = [
        Likeness(of, rule, weighted, 20)
        for of in ("jaccard", "serp", "serp_notebook", "prag", "prag_k_plus_1", "prag_common")
        for rule in ("standard", "published")
        for weighted in ("sensitive", "neutral")
    ]
    names = [one.name for one in kinds]
    assert len(set(names)) == len(names)
    assert "Jaccard@20" in names
    assert all("(" in name for name in names if not name.startswith("Jaccard"))


def test_an_arm_that_failed_for_all_is_no_agreement(directory: Path) -> None:
    def dead(one: dict[str, Any]) -> dict[str, Any]:
        if one["model"] == "words" and one["metric"].startswith(("arm_similarity(arm=typo", "neutral_s")):
            one |= {"value": None, "low": None, "high": None, "n": 0, "reason": "no unit is scored"}
            one |= {"excluded": {"arm-failed": 30}}
        if one["model"] == "words" and one["metric"].startswith("snsr_excess"):
            one |= {"value": None, "low": None, "high": None, "p": None, "p_adjusted": None}
        return one

    material = made(directory, dead)
    (block,) = noise(material, "c") or []
    assert "nobody is left to compare (30 arm failed)" in said(block.findings, "words")
    (other,) = robust(material, "c") or []
    (line,) = [one for one in other.lines if (one.model, one.way) == ("words", "misspelt")]
    assert (line.otherwise, line.failed) == ("—", "30 arm failed")
