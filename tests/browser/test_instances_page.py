"""Instances in a real browser: search, filters, and the file beside the page."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "instances"))
from hand_made import failed, ranked, write

from genrec_eval.reporting.html import write_report

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil \U000e0041"
N = 150
WORDS = ("Ash", "Bly", "Cor", "Dun", "Elm", "Fay", "Gap", "Hew", "Ivy", "Jut")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two models, one of which fails now and then and meets strangers."""
    folder = tmp_path_factory.mktemp("instances")
    first = {f"u{i:03d}": ranked(f"i{i % 9}", "i1", text="") for i in range(N)}
    second: dict[str, Any] = {f"u{i:03d}": ranked(f"i{(i + 1) % 9}", "i2") for i in range(N)}
    second |= {f"u{i:03d}": failed("timeout", "60 s went by") for i in range(0, N, 30)}
    second["u077"] = [{"status": "unparsed", "raw": HOSTILE + "x" * 5000, "error": HOSTILE}]
    run = write(
        folder / "run",
        {"steady": first, "shaky": second},
        {
            "steady": {f"u{i:03d}": float(i % 2) for i in range(N)},
            "shaky": {f"u{i:03d}": float(i % 3 == 0) for i in range(N)},
        },
        groups={"age": ["young" if i % 5 else HOSTILE for i in range(N)]},
        truth=[[i % 10] for i in range(N)],
        titles=[
            f"The Film of {word}"
            for word in ["Ash", "Bly", "Cor", "Dun", "Elm", "Fay", "Gap", "Hew", "Ivy", "Jut"]
        ],
        baseline="steady",
    )
    return write_report(run, folder / "audit.html")


def told(page: Page) -> str:
    page.wait_for_timeout(200)  # a search waits until nobody types
    return page.locator("#finder > .i-told").text_content()


def shown(page: Page) -> int:
    return page.locator("#instances details.inst:not([hidden])").count()


def test_search_finds_ids_titles_and_texts(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report)
    everything = page.locator("#instances details.inst").count()
    assert 100 <= everything <= 120
    page.locator("#find-q").fill("u077")
    assert told(page).split(" instance")[0] == str(shown(page))
    assert all("u077" in text for text in page.locator("details.inst:not([hidden])").all_text_contents())
    page.locator("#find-q").fill("film of gap")
    assert told(page).split(" instance")[0] == str(shown(page))
    assert 0 < shown(page) < everything
    page.locator("#find-q").fill("nowhere at all")
    assert told(page) == f"0 instances of the {everything} in this page fit."
    page.locator("#finder button[type=reset]").click()
    assert told(page) == ""
    assert shown(page) == everything


def test_filters_by_status_model_group_flip_and_rank(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report)
    page.locator("#find-status").select_option("timeout")
    told(page)
    assert shown(page) == 5
    assert {one.get_attribute("data-status") for one in page.locator("details.inst:not([hidden])").all()} == {
        "timeout"
    }
    page.locator("#find-status").select_option("")
    page.locator("#find-flip").select_option("lost")
    told(page)
    assert shown(page) > 0
    assert page.locator("details.inst:not([hidden]):not([data-flip=lost])").count() == 0
    assert "flip=lost" in page.url
    page.locator("#find-flip").select_option("any")
    page.locator("#find-model").select_option("shaky")
    page.locator("#find-worst").select_option("10")
    told(page)
    assert 0 < shown(page) <= 10
    again = visit(report)
    again.goto(page.url)
    again.reload()
    assert again.locator("#find-model").input_value() == "shaky"
    assert shown(again) == shown(page)


def test_an_instance_opens_from_its_link(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report)
    inside = page.locator("details.i-rest details.inst").first.get_attribute("id")
    page.evaluate("anchor => { location.hash = anchor; }", inside)
    page.wait_for_timeout(50)
    assert page.locator(f"#{inside}").get_by_text("Answered").first.is_visible()


def test_the_file_beside_is_searched(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report)
    page.locator("#find-file").set_input_files(report.with_name("audit.instances.jsonl.gz"))
    said = page.locator(".i-beside .i-told")
    said.get_by_text("belongs to this report").wait_for()
    page.locator("#find-model").select_option("steady")
    page.locator("#find-q").fill("u1")
    said.get_by_text("50 instances of the 300 in the file fit.").wait_for()
    assert page.locator(".from-file details").count() == 50
    page.locator("#find-q").fill("the film of elm")
    said.get_by_text("the first 50 are shown").or_(said.get_by_text("fit.")).wait_for()
    page.locator("#find-model").select_option("shaky")
    page.locator("#find-q").fill("u077")
    said.get_by_text("1 instance of the 300 in the file fits.").wait_for()
    card = page.locator(".from-file details").first
    card.locator("summary").first.click()
    text = card.text_content()
    assert "⟨U+202E⟩evil ⟨U+E0041⟩" in text
    assert "<img src=x onerror=alert(2)>" in text
    assert "more characters are not quoted" in text
    assert "The Film of" in text
    assert card.locator("img, script").count() == 0
    page.locator("#finder button[type=reset]").click()
    said.get_by_text("belongs to this report").wait_for()


def test_a_card_of_the_file_says_what_the_page_says(report: Path, visit: Callable[..., Page]) -> None:
    page = visit(report)
    page.locator("#find-file").set_input_files(report.with_name("audit.instances.jsonl.gz"))
    page.locator(".i-beside .i-told").get_by_text("belongs to this report").wait_for()
    for kind in ("lost", "status"):
        page.locator("#find-flip").select_option(kind)
        page.locator("#find-worst").select_option("100")
        page.locator(".from-file details").first.wait_for()
        told(page)
        ours = page.locator("details.inst[id]:not([hidden])").first
        case = ours.locator("summary bdi").first.text_content()
        theirs = page.locator(".from-file details.inst", has=page.get_by_text(case, exact=True)).first
        for one in (ours, theirs):
            one.evaluate("node => { node.open = true; }")
        page.wait_for_timeout(50)
        words = [" ".join(one.locator("summary ~ *").all_text_contents()) for one in (ours, theirs)]
        assert "".join(words[0].split()) == "".join(words[1].split())


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ("other run", "This file belongs to run another, and this report is of run made-by-hand."),
        ("other figures", "was written with another version of the report of this run"),
        ("changed", "The content of this file is not what was written with this report."),
        ("noise", "This is no file of instances, or it is damaged."),
        ("empty", "This is no file of instances, or it is damaged."),
        ("other json", "This is no file of instances that this report can read."),
    ],
)
def test_another_file_is_refused(
    report: Path, visit: Callable[..., Page], tmp_path: Path, made: str, sentence: str
) -> None:
    whole = gzip.decompress(report.with_name("audit.instances.jsonl.gz").read_bytes())
    head = json.loads(whole.splitlines()[0])
    rest = whole[whole.index(b"\n") :]
    content = {
        "other run": gzip.compress(json.dumps(head | {"run": "another"}).encode() + rest),
        "other figures": gzip.compress(json.dumps(head | {"key": "0"}).encode() + rest),
        "changed": gzip.compress(whole.replace(b"timeout", b"ok")),
        "noise": b"\x1f\x8b" + bytes(range(256)),
        "empty": b"",
        "other json": gzip.compress(b'{"a": 1}\n'),
    }[made]
    path = tmp_path / "x.instances.jsonl.gz"
    path.write_bytes(content)
    page = visit(report)
    page.locator("#find-file").set_input_files(path)
    page.locator(".i-beside .i-told").get_by_text(sentence).wait_for()
    assert page.locator(".from-file details").count() == 0


def test_without_scripts_the_worst_come_first_and_can_be_read(report: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#finder").text_content() == ""
    shaky = page.locator(".i-answers", has=page.get_by_role("heading", name="shaky"))
    first, second = shaky.locator("details.inst").nth(0), shaky.locator("details.inst").nth(1)
    assert first.locator("summary .status").text_content() in ("timeout", "unparsed")
    first.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    assert first.get_by_text("Answered").first.is_visible(), "the worst failure is open, in print too"
    second.locator("summary").first.click()
    assert second.get_by_text("Answered").first.is_visible()
    context.close()
