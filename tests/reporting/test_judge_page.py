"""A judge's page as a reader's browser sees it: the answer first, harmless, self-contained, well nested."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from parsed_page import Page

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.judging.audit.labels import load_labels
from genrec_eval.reporting.judge_findings import Kind, findings, sentence
from genrec_eval.reporting.judge_material import JudgeMaterial, read_judges
from genrec_eval.reporting.judge_page import render_judge, write_judges

EVIL = '</pre><script>alert(1)</script><img src="https://evil.example/x.png">\u202e{{ 7 * 7 }}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writers, one of whom says one thing to all, before three judges, one of whom was probed as well."""
    reference = {"adapter": "reference"}
    plan = {
        "name": "judged",
        "seed": 7,
        "data": {"world": {"dataset": "synthetic", "options": {"users": 120, "items": 100, "reviews": 0.6}}},
        "models": {
            "template": {**reference, "model": "template-writer", "scenarios": ["explanation"]},
            "constant": {**reference, "model": "constant-text", "scenarios": ["explanation"]},
            "slot": {**reference, "model": "first-slot-judge", "scenarios": ["probe"]},
        },
        "judges": {
            "mumbler": {
                "model": {**reference, "model": "mumbling-judge"},
                "description": f"Says little. {EVIL}",
                "repeats": 2,
                "min_coverage": 0.4,
            },
            "slot": {"model": {**reference, "model": "first-slot-judge"}},
        },
        "scenarios": {
            "explanation": {
                "scenario": "explanation",
                "data": "world",
                "options": {"split": {"method": "leave-one-out"}, "max_users": 40, "variants": []},
                "judging": [
                    {"judge": ["mumbler", "slot"], "rubric": "faithfulness", "task": "pairwise",
                     "against": "template"},
                    {"judge": "mumbler", "rubric": "helpfulness"},
                ],
            },
            "probe": {"scenario": "judge-probe", "options": {"bases": 6, "tasks": ["pairwise"]}},
        },
    }  # fmt: skip
    return genrec_eval.run(
        plan, out=tmp_path_factory.mktemp("runs") / "judged", quiet=True, report=False
    ).path


@pytest.fixture(scope="module")
def directory(folder: Path) -> RunDirectory:
    return RunDirectory.open(folder)


@pytest.fixture(scope="module")
def labelled(directory: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people who mostly prefer the template, and do not always agree."""
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    cases = directory.cases("explanation").column("case").to_pylist()
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["case", "model", "other", "annotator", "label"])
        for number, case in enumerate(cases):
            for name in ("ann", "bob", "cem"):
                label = "model" if number % 5 == 1 else "other"
                label = "tie" if name == "cem" and number % 4 == 0 else label
                rows.writerow([case, "constant", "template", name, label])
    return path


@pytest.fixture(scope="module")
def mumbler(directory: RunDirectory, labelled: Path) -> JudgeMaterial:
    (found,) = read_judges(directory, judge="mumbler", labels=load_labels(labelled), own="template")
    return found


@pytest.fixture(scope="module")
def slot(directory: RunDirectory) -> JudgeMaterial:
    return read_judges(directory, judge="slot")[0]


def told(material: JudgeMaterial) -> dict[str, Kind]:
    prefixes = [f"p{number}-" for number in range(1, len(material.parts) + 1)]
    return {one.claim: one.kind for one in findings(material, prefixes)}


def test_faults_are_named_with_their_figures(mumbler: JudgeMaterial, directory: RunDirectory) -> None:
    claims = told(mumbler)
    assert claims["Too many of its answers hold no verdict"] is Kind.FAULT
    assert claims["The answers of constant must not be judged"] is Kind.FAULT
    assert claims["Its verdict does not hang on the order of the answers"] is Kind.FINE
    words = Page(render_judge(directory, mumbler)).words
    pairwise = mumbler.parts[0].audit
    failed = pairwise.parse_failures.failed
    assert failed.value is not None
    assert f"{100 * failed.value:.0f}"[:2] in words
    assert "The win rate of all models together is" in words
    assert "40 of 40 texts are one and the same but for case, digits and punctuation" in words
    assert "a person with the majority of the others" in words
    assert "right by people: counted as losses" in words
    assert "Does it favour template, its own family?" in words
    assert "all repeats say the same" in words
    assert "Agreement with people (explanation · helpfulness · pointwise)" in words
    assert "holds labels of pairs, and judge 'mumbler' needs scores" in words
    assert "there are no judgements with an injected order" in words


def test_the_answer_comes_first_and_nothing_green_above_red(
    mumbler: JudgeMaterial, directory: RunDirectory
) -> None:
    html = render_judge(directory, mumbler)
    assert html.index('id="answer"') < html.index('id="tested"') < html.index('id="p1"')
    assert html.rindex('class="card fail') < html.index('class="verdict pass')
    assert html == render_judge(directory, mumbler)


def test_a_judge_that_was_probed_has_its_probes_on_the_same_page(
    slot: JudgeMaterial, directory: RunDirectory
) -> None:
    assert [part.probed for part in slot.parts] == [False, True]
    page = Page(render_judge(directory, slot))
    for said in (
        "It prefers one of the two slots, whatever stands in it",
        "It names a winner between a text and itself",
        "What does it make of questions whose answer is known?",
        "Injected orders obeyed, by wording of the order",
        "fake-fence",
        "answers are marked as data",
        "Pairs on which the order changes the verdict",
        "The system message",
    ):
        assert said in page.words
    assert "measured by the probes" not in page.words
    probe = slot.parts[1]
    assert probe.probe is not None
    estimates = {one.metric: one.measure.value for one in probe.probe.figures}
    assert estimates["first_slot_share"] == 1.0
    assert probe.audit.injection is not None
    assert probe.audit.injection.success.value == 0.0


def test_the_page_is_harmless_and_well_nested(
    mumbler: JudgeMaterial, slot: JudgeMaterial, directory: RunDirectory
) -> None:
    for material in (mumbler, slot):
        html = render_judge(directory, material)
        page = Page(html)
        assert not page.faults
        assert not page.open
        names = {tag for tag, _ in page.tags}
        assert not names & {"script", "link", "img", "iframe", "object", "form"}
        assert "default-src 'none'" in html
        for _, attributes in page.tags:
            for name, value in attributes.items():
                assert not name.startswith("on")
                if name in ("href", "src"):
                    assert value.startswith("#")
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))
        targets = {a["href"][1:] for tag, a in page.tags if tag == "a"}
        assert targets <= set(ids)
        assert page.headings[0] == 1
        assert all(
            after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False)
        )


def test_what_a_judge_wrote_is_quoted_never_run(folder: Path, tmp_path: Path) -> None:
    import shutil

    copied = tmp_path / "run"
    shutil.copytree(folder, copied)
    path = copied / "judgements.parquet"
    table = pq.read_table(path)
    statuses = table["status"].cast(pa.string()).to_pylist()
    texts = zip(statuses, table["raw"].to_pylist(), strict=True)
    raw = [EVIL if status == "unparsed" else text for status, text in texts]
    place = table.schema.get_field_index("raw")
    pq.write_table(table.set_column(place, "raw", pa.array(raw, pa.string())), path)
    directory = RunDirectory.open(copied)
    (material,) = read_judges(directory, judge="mumbler")
    html = render_judge(directory, material)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "⟨U+202E⟩" in html
    assert "{{ 7 * 7 }}" in html
    assert "49" not in html[html.index("7 * 7") - 5 : html.index("7 * 7") + 10]


def test_pages_are_written_whole_under_safe_names(directory: RunDirectory, mumbler: JudgeMaterial,
                                                  tmp_path: Path) -> None:  # fmt: skip
    import dataclasses

    odd = dataclasses.replace(mumbler, name="../../up / and away")
    (path,) = write_judges(directory, [odd], tmp_path / "pages")
    assert path.parent == tmp_path / "pages"
    assert path.name == "judge-..-..-up-and-away.html"
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_annotations_of_the_run_stand_for_labels_and_strangers_do_not(
    directory: RunDirectory, tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("case,annotator,label,model,other\nnobody,ann,first,constant,template\n")
    with pytest.raises(UsageError, match="none of its 1 labels"):
        read_judges(directory, labels=load_labels(path))


def test_a_judge_without_any_figure_says_that_nothing_could_be_checked() -> None:
    assert sentence([], 0) == "Nothing could be checked."
