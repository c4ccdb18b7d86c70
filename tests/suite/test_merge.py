"""``extends``: values are merged and keep the place they came from."""

# ruff: noqa: E501 - a table row is as wide as its sentence

from __future__ import annotations

from pathlib import Path

import pytest
from small_suite import SMALL

from genrec_eval.core.errors import UsageError
from genrec_eval.core.yaml import plain, read_text
from genrec_eval.suite.load import resolve
from genrec_eval.suite.merge import locate, overlay


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_mappings_merge_lists_replace_and_null_removes() -> None:
    below = read_text("a: {b: 1, c: {d: 2}}\nl: [1, 2]\nx: 1", "below")
    above = read_text("a: {c: {e: 3}, b: null}\nl: [3]\ny: null", "above")
    merged = overlay(below, above)
    assert plain(merged) == {"a": {"c": {"d": 2, "e": 3}}, "l": [3], "x": 1, "y": None}
    assert merged.value["a"].value["c"].value["d"].place == "below:1"
    assert merged.value["a"].value["c"].value["e"].place == "above:1"


def test_a_suite_builds_on_another(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=SMALL,
        mine="extends: base.yaml\nname: mine\nmodels:\n  random: null\n  pop:\n    adapter: reference\n"
        "    model: popularity\nclaims: []\n",
    )
    loaded = resolve("mine.yaml")
    assert loaded.suite.name == "mine"
    assert list(loaded.suite.models) == ["knn", "pop"]
    assert loaded.where("models.knn") == "base.yaml:10"
    assert loaded.where("models.pop") == "mine.yaml:5"
    assert "extends" not in loaded.resolved


def test_faults_of_an_inherited_value_point_into_its_file(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    write(
        tmp_path / "shared", base=SMALL.replace("neighbours: 5", "neigbours: 5"), engine="engine: {limt: 3}"
    )
    write(tmp_path, mine="name: mine\nextends: [shared/base.yaml, shared/engine.yaml]")
    with pytest.raises(UsageError) as caught:
        resolve("mine.yaml")
    base, engine = Path("shared/base.yaml"), Path("shared/engine.yaml")
    assert f"{base}:14: models.knn.options.neigbours: unknown key" in str(caught.value)
    assert f"{engine}:1: engine.limt: unknown key 'limt'; did you mean 'limit'?" in str(caught.value)


def test_the_last_of_several_wins_and_each_may_extend(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=SMALL,
        a="extends: base.yaml\nseed: 1\nlevel: 0.9",
        b="seed: 2",
        mine="extends: [a.yaml, b.yaml]",
    )
    loaded = resolve("mine.yaml")
    assert (loaded.suite.seed, loaded.suite.level) == (2, 0.9)


def test_a_folder_does_not_hide_the_shipped_suite_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()
    assert locate("judges", tmp_path).name == "judges.yaml"


def test_shipped_suites_can_be_extended_by_name(tmp_path: Path) -> None:
    write(tmp_path, mine="extends: quickstart\nname: mine\nengine: {limit: 3}")
    loaded = resolve("mine.yaml")
    assert "item-knn" in loaded.suite.models
    assert loaded.suite.engine.limit == 3
    assert resolve({"extends": "quickstart", "seed": 5}).suite.seed == 5


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"mine": "extends: mine.yaml"}, "mine.yaml: 'extends' goes in a circle: mine.yaml → mine.yaml"),
        (
            {"mine": "extends: a.yaml", "a": "extends: b.yaml", "b": "extends: a.yaml"},
            "b.yaml: 'extends' goes in a circle: a.yaml → b.yaml → a.yaml",
        ),
        ({"mine": "name: x\nextends: bse.yaml", "base": SMALL}, "mine.yaml:2: no suite file 'bse.yaml'; did you mean 'base.yaml'?"),
        ({"mine": "extends: a.yaml", "a": "\n- 1"}, "a.yaml:2: the suite is not a mapping"),
        ({"mine": "extends: a.yaml", "a": "b: [1"}, "a.yaml:1: not valid YAML"),
        ({"mine": "extends: 3"}, "mine.yaml:1: extends: needs the name of a suite file"),
        ({"mine": "extends: {a: b}"}, "mine.yaml:1: extends: needs the name of a suite file"),
        ({"mine": "extends: ."}, "mine.yaml:1: '.' is a folder; it holds mine.yaml"),
    ],
)  # fmt: skip
def test_what_cannot_be_extended_is_said(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    write(tmp_path, **files)
    with pytest.raises(UsageError) as caught:
        resolve("mine.yaml")
    assert sentence in str(caught.value)


def test_many_suites_may_share_a_base(tmp_path: Path) -> None:
    write(
        tmp_path, base=SMALL, a="extends: base.yaml", b="extends: base.yaml", mine="extends: [a.yaml, b.yaml]"
    )
    assert resolve("mine.yaml").suite.name == "small"


def test_a_ladder_of_suites_that_extend_the_one_below_twice_is_read_once_each(tmp_path: Path) -> None:
    write(tmp_path, s0=SMALL, **{f"s{i}": f"extends: [s{i - 1}.yaml, s{i - 1}.yaml]" for i in range(1, 30)})
    assert resolve("s29.yaml").suite.name == "small"
    write(tmp_path, **{f"t{i}": f"extends: t{i + 1}.yaml" for i in range(100)})
    with pytest.raises(UsageError, match="more than 32 suites extend one another"):
        resolve("t0.yaml")


def test_what_a_suite_extends_cannot_be_set(tmp_path: Path) -> None:
    write(tmp_path, base=SMALL)
    with pytest.raises(UsageError, match="--set extends: what a suite extends cannot be set"):
        resolve(tmp_path / "base.yaml", ["extends=quickstart"])
