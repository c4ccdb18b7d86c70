"""Rubrics: shipped ones are whole, broken ones are refused in one sentence with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.rubric import digest_rubric, load_rubric, rubrics

GOOD = """\
name: mine
title: Mine
criterion: >
  Is it
  good?
levels:
  1: bad
  2: poor
  3: fair
  4: good
  5: best
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize("name", rubrics())
def test_shipped_rubrics_are_whole(name: str) -> None:
    rubric = load_rubric(name, Path())
    assert rubric.name == name
    assert list(rubric.levels) == list(range(rubric.scale[0], rubric.scale[1] + 1))
    assert "\n" not in rubric.criterion + rubric.title + "".join(rubric.levels.values())
    assert rubric.criterion.endswith("?")


def test_what_is_shipped() -> None:
    assert set(rubrics()) >= {
        *("faithfulness", "persuasiveness", "relevance", "fluency", "helpfulness", "transparency"),
        *("personalisation", "coverage", "coherence", "claim-support"),
    }


def test_own_file(tmp_path: Path) -> None:
    rubric = load_rubric(write(tmp_path, GOOD), tmp_path)
    assert rubric.criterion == "Is it good?"
    assert rubric.levels[3] == "fair"
    assert rubric.context
    assert not rubric.reference


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  3: fair\n", "", "mine.yaml:6: levels: level 3 missing: a scale from 1 to 5 needs"),
        ("  2: poor\n  3: fair\n", "", "levels 2, 3 missing"),
        ("  5: best", "  5: best\n  6: more", "level 6 is outside the scale from 1 to 5"),
        ("  3: fair", "  3: ' '", "mine.yaml:6: levels: level 3 says nothing"),
        ("title: Mine", "titel: Mine", "did you mean 'title'?"),
        ("title: Mine", "title: Mine\nscale: [5, 1]", "mine.yaml:3: scale: a scale is [least, greatest]"),
        ("name: mine", "name: other", "the rubric is named 'other'; name it 'mine', as the file is"),
        ("  3: fair", "  three: fair", "mine.yaml:6: levels: a level is a whole number, not 'three'"),
        ("  3: fair", "  3: fair\n  03: good", "mine.yaml:6: levels: a level is a whole number, not '03'"),
    ],
)
def test_broken_files(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    name = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load_rubric(name, tmp_path)
    assert said in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_no_levels_at_all_are_fine(tmp_path: Path) -> None:
    name = write(tmp_path, GOOD.partition("levels")[0])
    assert load_rubric(name, tmp_path).levels == {}


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown rubric 'faithfullness'; did you mean 'faithfulness'\?"):
        load_rubric("faithfullness", tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_rubric("absent.yaml", tmp_path)
    write(tmp_path, "- a\n- b\n")
    with pytest.raises(UsageError, match="a rubric file is a mapping"):
        load_rubric("mine.yaml", tmp_path)


def test_digest_follows_the_words(tmp_path: Path) -> None:
    one = load_rubric(write(tmp_path, GOOD), tmp_path)
    two = load_rubric(write(tmp_path, GOOD.replace("fair", "middling")), tmp_path)
    assert digest_rubric(one) == digest_rubric(one) != digest_rubric(two)
