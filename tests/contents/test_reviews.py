"""Reviews: read strictly, bound to run and figures, kept side by side, changing no figure."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from audited import HOSTILE, audited, changed

import genrec_eval
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.html import render_report, write_report
from genrec_eval.reporting.instances.sidecar import sidecar_path
from genrec_eval.reporting.review import SECTIONS, merge_reviews, read_review


def written(path: Path, directory: Path, **more: Any) -> Path:
    """A review of a run, as the page saves it."""
    signing = audited(directory).signing
    review = {
        "schema": "genrec-eval/review/1",
        "run": signing.run,
        "estimates": signing.estimates,
        "evidence": signing.root or None,
        "author": "A. Author",
        "reviewer": "R. Reviewer",
        "role": "statistician",
        "date": "2026-11-24",
        "independence": "none of these models is mine",
        "decision": "accepted",
        "comment": "",
        "comments": [],
        **more,
    }
    path.write_text(json.dumps(review))
    return path


def test_two_reviews_stand_side_by_side_and_change_no_figure(copied: Path, tmp_path: Path) -> None:
    figures = (copied / "estimates.json").read_bytes()
    comments = [{"section": "limits", "text": "and no children"}, {"verdict": 0, "text": "agreed"}]
    first = written(tmp_path / "a.json", copied, reviewer="Ada", comments=comments)
    second = written(tmp_path / "b.json", copied, reviewer=f"Bob {HOSTILE}", decision="sent back")
    assert exit_code(["report", str(copied), "--review", str(first), "--review", str(second)]) == 0
    merge_reviews(copied, [first])  # the same is kept once
    assert len(list((copied / "reviews").glob("*.json"))) == 2
    page = (copied / "report.html").read_text()
    section = page[page.index('id="review"') :].partition("</section>")[0]
    assert section.index(">Ada<") < section.index(">Bob &lt;script&gt;")
    assert "ACCEPTED" in section
    assert "SENT BACK" in section
    assert '<a href="#limits">What must not be concluded</a>: and no children' in section
    assert "ItemKNN ranks better than popularity (item-knn)" in section
    assert "<script>alert" not in page
    assert (copied / "estimates.json").read_bytes() == figures
    assert exit_code(["verify", str(copied)]) == 0


def test_a_review_of_another_run_or_of_other_figures_is_refused(copied: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", copied, run="0123456789abcdef")
    with pytest.raises(UsageError, match="reviews the run 0123456789abcdef, and this is the run"):
        merge_reviews(copied, [path])
    path = written(tmp_path / "a.json", copied, estimates="0" * 64)
    with pytest.raises(UsageError, match="signed on other figures of this run"):
        merge_reviews(copied, [path])
    path = written(tmp_path / "a.json", copied, evidence="0" * 64)
    with pytest.raises(UsageError, match="signed on other evidence of this run"):
        merge_reviews(copied, [path])
    path = written(tmp_path / "a.json", copied, comments=[{"verdict": 10_000, "text": "x"}])
    with pytest.raises(UsageError, match="there is no verdict 10000"):
        merge_reviews(copied, [path])
    good = written(tmp_path / "b.json", copied)
    with pytest.raises(UsageError):
        merge_reviews(copied, [good, path])  # all of them or none
    assert not (copied / "reviews").exists()


def test_a_review_stays_with_the_figures_that_it_signed(copied: Path, tmp_path: Path) -> None:
    merge_reviews(copied, [written(tmp_path / "a.json", copied)])
    changed(copied, lambda document: document["estimates"][0].update(value=0.5), "estimates.json")
    shown = audited(copied).signing.reviews
    assert [one.signed.current for one in shown] == [False]
    assert "signed on other figures of this run" in render_report(copied)
    rows = {row.row.id: row for mapped in audited(copied).frameworks for row in mapped.rows}
    assert "a review" in rows["MEASURE 1.3"].missing


def test_a_kept_review_that_was_changed_is_told_and_not_shown(copied: Path, tmp_path: Path) -> None:
    (kept,) = merge_reviews(copied, [written(tmp_path / "a.json", copied, decision="sent back")])
    changed(kept.parent, lambda review: review.update(decision="accepted"), kept.name)
    (kept.parent / "notes.json").write_text("{")
    signing = audited(copied).signing
    assert not signing.reviews
    assert any("its content was changed after it was kept" in fault for fault in signing.faults)
    assert any("notes.json is not shown: it is not valid JSON" in fault for fault in signing.faults)
    assert "was changed after it was kept" in render_report(copied)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decision": "approved"}, "decision: is one of"),
        ({"decision": None}, "decision: is one of"),
        ({"reviewer": ""}, "reviewer: needs at least 1 character"),
        ({"reviewer": "  "}, "signed with a name"),
        ({"reviewer": "x" * 201}, "reviewer: needs at most 200 characters"),
        ({"reviewr": "x"}, "unknown key 'reviewr'; did you mean 'reviewer'?"),
        ({"date": "24.11.2026"}, "'24.11.2026' is no day; write it as 2026-11-23"),
        ({"date": 20261124}, "date: needs text"),
        ({"estimates": "../../etc/passwd"}, "does not match the pattern"),
        ({"comments": [{"section": "limit", "text": "x"}]}, "no part 'limit'; did you mean 'limits'?"),
        ({"comments": [{"text": "x"}]}, "about a 'section' or about a 'verdict'"),
        ({"comments": [{"section": "limits", "text": ""}]}, "comments.0.text: needs at least 1"),
        ({"comments": [{"verdict": -1, "text": "x"}]}, "comments.0.verdict: must be at least 0"),
        ({"comments": 7}, "comments: needs a list"),
        ({"schema": "genrec-eval/review/2"}, "its schema is 'genrec-eval/review/2'"),
    ],
)
def test_what_is_no_review_is_a_sentence(
    quickstart: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = written(tmp_path / "a.json", quickstart, **change)
    with pytest.raises(UsageError) as caught:
        read_review(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not valid JSON"),
        (b'{"schema": NaN}', "is not valid JSON"),
        (b"[]", "is no review"),
        (b'"' + b"x" * 1_000_001 + b'"', "larger than 1 MB"),
        (b"\xff\xfe", "is not valid JSON"),
    ],
)
def test_hostile_files_are_sentences(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_review(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_review(tmp_path / "none.json")


def test_parts_that_can_be_commented_on_are_on_the_page(quickstart: Path) -> None:
    page = render_report(quickstart)
    for name in set(SECTIONS) - {"gate", "comparison"}:  # of runs that have one
        assert f'<section id="{name}"' in page, name


def test_fresh_sets_reviews_aside_with_the_run(copied: Path, tmp_path: Path) -> None:
    merge_reviews(copied, [written(tmp_path / "a.json", copied)])
    genrec_eval.run("quickstart", out=copied, quiet=True, limit=5, only=["random"], fresh=True)
    assert not audited(copied).signing.reviews
    assert (copied.parent / "run~1" / "reviews").is_dir()


def test_a_review_is_bound_to_the_gate_and_says_what_lay_beside(copied: Path, tmp_path: Path) -> None:
    gate = copied / "gate.json"
    gate.write_text("{}")
    here = hashlib.sha256(b"{}").hexdigest()
    assert audited(copied).signing.gate == here
    beside = {"reference": "0123456789abcdef", "reference_evidence": "1" * 64, "instances": "2" * 64}
    other = written(tmp_path / "b.json", copied, gate="3" * 64, **beside)
    with pytest.raises(UsageError, match="signed beside another verdict of the gate"):
        merge_reviews(copied, [other])
    merge_reviews(copied, [written(tmp_path / "a.json", copied, gate=here, **beside)])
    (shown,) = audited(copied).signing.reviews
    assert not shown.signed.gate_changed
    assert shown.beside[1] == "against run 0123456789abcdef, root 111111111111…"
    gate.write_text("{ }")
    assert audited(copied).signing.reviews[0].signed.gate_changed


def test_a_review_of_an_earlier_version_keeps_its_digest(copied: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", copied, comments=[{"section": "limits", "text": "x"}])
    kept = json.loads(merge_reviews(copied, [path])[0].read_text())
    assert set(kept) == set(json.loads(path.read_text()))
    assert kept["comments"] == [{"section": "limits", "text": "x", "verdict": None}]
    assert not audited(copied).signing.faults


def test_a_comment_on_other_figures_is_shown_with_the_title_it_was_given(
    copied: Path, tmp_path: Path
) -> None:
    comment = {"verdict": 0, "title": "Lists repeat no item (x)", "text": "agreed"}
    merge_reviews(copied, [written(tmp_path / "a.json", copied, comments=[comment])])
    changed(copied, lambda document: document["estimates"][0].update(value=0.5), "estimates.json")
    (remark,) = audited(copied).signing.reviews[0].remarks
    assert remark.about == "Lists repeat no item (x)"


def test_instances_beside_the_page_are_part_of_what_is_signed(copied: Path) -> None:
    out = copied / "report.html"
    write_report(copied, out)
    held = sidecar_path(out)
    page = out.read_text()
    if held.is_file():  # where not all instances fit into the page
        assert f'data-instances="{hashlib.sha256(held.read_bytes()).hexdigest()}"' in page
    else:
        assert 'data-instances=""' in page


def test_a_review_goes_back_to_whom_the_suite_names(copied: Path) -> None:
    changed(copied, lambda run: run["suite"].update(audit={}))
    assert audited(copied).signing.back_to == "whoever sent you this page"
    changed(copied, lambda run: run["suite"].update(audit={"commissioned_by": "Product."}))
    assert audited(copied).signing.back_to == "those who commissioned the audit (Product)"
