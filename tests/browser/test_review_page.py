"""Reviewing in a real browser: comments where they are read, one file out, and the same file back in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genrec_eval.cli.main import exit_code
from genrec_eval.reporting.review import read_review

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., Any]
HOSTILE = "<img src=x onerror=alert(1)> ${7*7} \u202egnp"


@pytest.fixture(scope="module")
def run(quickstart: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, for reviews are kept with the run."""
    return Path(shutil.copytree(quickstart, tmp_path_factory.mktemp("reviewed") / "run"))


def filled(page: Page, decision: str = "accepted with comments") -> None:
    page.fill("input[name=reviewer]", f"Ada {HOSTILE}")
    page.fill("input[name=date]", "2026-11-24")
    page.fill("textarea[name=independence]", "none of these models is mine")
    page.check(f'input[name=decision][value="{decision}"]')
    page.locator("#limits h2 button.remark-on").click()
    page.locator("#limits .remark textarea").fill(f"and no children {HOSTILE}")
    page.locator("[data-verdict] button.remark-on").first.click()
    page.locator("[data-verdict] .remark textarea").first.fill("agreed")


def test_a_review_goes_out_as_a_file_and_comes_back(run: Path, visit: Visit, tmp_path: Path) -> None:
    page = visit(run / "report.html")
    filled(page)
    with page.expect_download() as download:
        page.click("#review-save")
    assert download.value.suggested_filename.startswith("review-")
    saved = tmp_path / "review.json"
    download.value.save_as(saved)
    review = read_review(saved)
    assert review.decision == "accepted with comments"
    assert review.comments[0].section == "limits"
    assert review.comments[1].text == "agreed"
    number = int(page.locator("[data-verdict]").first.get_attribute("data-verdict"))
    assert review.comments[1].verdict == number
    assert review.comments[0].title == "What must not be concluded"
    assert review.comments[1].title
    assert "Comment" not in review.comments[1].title
    claim = json.loads((run / "estimates.json").read_text())["verdicts"][number]["claim"]
    assert exit_code(["report", str(run), "--review", str(saved)]) == 0
    later = visit(run / "report.html", java_script_enabled=False)
    shown = later.locator("#review table.reviews").text_content() or ""
    assert "ACCEPTED WITH COMMENTS" in shown
    assert "and no children <img src=x onerror=alert(1)> ${7*7} ⟨U+202E⟩gnp" in shown
    assert claim in shown


def test_what_was_written_is_still_there_after_the_page_was_closed(run: Path, visit: Visit) -> None:
    page = visit(run / "report.html")
    filled(page, "sent back")
    assert (page.locator("#review-comments").text_content() or "").startswith(
        "2 comments on parts of the report, kept"
    )
    page.reload()
    assert page.input_value("textarea[name=independence]") == "none of these models is mine"
    assert page.is_checked('input[value="sent back"]')
    assert page.locator("#limits .remark textarea").input_value().startswith("and no children")


def test_a_sign_off_without_a_name_is_not_saved(run: Path, visit: Visit) -> None:
    page = visit(run / "report.html")
    page.fill("input[name=date]", "24.11.2026")
    page.click("#review-save")
    assert page.evaluate("document.activeElement.name") == "reviewer"
    assert "Saved" not in (page.locator("#review-comments").text_content() or "")


def test_without_scripts_the_form_is_a_block_to_sign(run: Path, visit: Visit) -> None:
    page = visit(run / "report.html", java_script_enabled=False)
    assert not page.locator("#review-save").is_visible()
    assert page.locator("button.remark-on").count() == 0
    page.emulate_media(media="print")
    for name in ("author", "reviewer", "role", "date", "independence", "comment"):
        assert page.locator(f"[name={name}]").is_visible(), name
    assert page.locator(".by-hand").is_visible()
