"""The report in a real browser: what scripts add, what stands without them, and what it must never do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.numbers import figure
from genrec_eval.reporting.html import write_report

Visit = Callable[..., Any]
CELL = "table.matrix tbody tr:nth-child(3) td:nth-child(2) a"
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover='alert(3)\u202e{{7*7}}"
)
LESS = """() => {
  // axe takes minutes over what repeats a hundred times: of each kind the first few stay, unfolded
  const drop = (what, most) => [...document.querySelectorAll(what)].slice(most).forEach(one => one.remove());
  drop("details.inst", 2); drop("details.metric", 3); drop("#definitions details", 3);
  for (const one of document.querySelectorAll("details")) one.open = true;
}"""


@pytest.fixture(scope="session")
def report(quickstart: Path) -> Path:
    return quickstart / "report.html"


@pytest.fixture(scope="session")
def estimates(quickstart: Path) -> dict[str, Any]:
    return json.loads((quickstart / "estimates.json").read_text("utf-8"))


def order(page: Any) -> list[str]:
    return page.locator("table.matrix").first.locator("tbody th bdi").all_inner_texts()


def test_the_matrix_sorts_by_value_and_back(visit: Visit, report: Path) -> None:
    page = visit(report)
    first = order(page)
    head = page.locator("table.matrix").first.locator("thead th[data-name]").first
    head.locator("button.sort").click()
    assert head.get_attribute("aria-sort") == "descending"
    cells = page.locator("table.matrix").first.locator("tbody tr td:nth-child(2)")
    values = [float(cell.get_attribute("data-v")) for cell in cells.all()]
    assert values == sorted(values, reverse=True)
    assert "sorted by NDCG@10" in page.locator("#said").inner_text()
    address = page.url
    best_first = order(page)
    head.locator("button.sort").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert order(page) == best_first[::-1]
    head.locator("button.sort").press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert order(page) == first
    again = visit(report, "#" + address.partition("#")[2])
    assert order(again) == best_first


def test_a_column_where_lower_is_better_begins_with_the_lowest(visit: Visit, report: Path) -> None:
    page = visit(report)
    head = page.locator("th[data-name^='Duplicate@10']").first
    head.locator("button.sort").click()
    assert head.get_attribute("aria-sort") == "ascending"


def test_a_model_without_a_figure_stands_last_both_ways(
    visit: Visit, quickstart: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(quickstart, tmp_path / "run"))
    data = json.loads((run / "estimates.json").read_text("utf-8"))
    for row in data["estimates"]:
        if (row["model"], row["metric"], row["slice"]) == ("popularity", "ndcg@10", "all"):
            row |= {"value": None, "low": None, "high": None, "reason": "no unit is scored"}
    (run / "estimates.json").write_text(json.dumps(data), "utf-8")
    page = visit(write_report(run))
    button = page.locator("table.matrix").first.locator("thead button.sort").first
    for _ in range(2):
        button.click()
        assert order(page)[-1] == "popularity"


@pytest.mark.parametrize("key", [None, "Enter"])
def test_a_cell_opens_all_there_is_on_it(visit: Visit, report: Path, key: str | None) -> None:
    page = visit(report)
    cell = page.locator(CELL).first
    if key:
        cell.focus()
        cell.press(key)
    else:
        cell.click()
    window = page.get_by_role("dialog")
    assert window.get_by_role("heading", level=2).inner_text() == "NDCG@10 of item-knn"
    said = window.inner_text()
    for words in ("Formula", "higher is better", "all answered and scored, none excluded", "quartiles"):
        assert words in said
    for words in ("Paired differences", "after Holm", "item-knn − popularity", " by ", "worst first"):
        assert words in said
    assert window.locator("tr.chosen").first.locator("th").inner_text().strip() == "item-knn"
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    for _ in range(40):
        page.keyboard.press("Tab")  # a modal window keeps the focus, but for the browser's own controls
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)") is False
    assert "open=s1m1.2" in page.url
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()
    page.wait_for_function("!location.hash.includes('open=')")
    assert page.evaluate(f"document.activeElement === document.querySelector('{CELL}')")


def test_the_address_opens_a_cell_and_a_wrong_one_opens_nothing(visit: Visit, report: Path) -> None:
    page = visit(report, "#~open=s1m2.0")
    assert page.get_by_role("heading", name="Recall@10 of random").is_visible()
    page = visit(report, "#~open=s9m9.0&sort=x:y&find=" + "%3Cimg src=x onerror=alert(1)%3E")
    assert page.locator("dialog").is_hidden()


def test_a_cell_leads_to_the_instances_of_its_model(visit: Visit, report: Path) -> None:
    page = visit(report)
    page.locator(CELL).first.click()
    page.get_by_role("dialog").locator("tr.chosen a.worst").click()
    assert page.locator("dialog").is_hidden()
    shown = page.locator("details.inst:visible")
    assert {one.get_attribute("data-model") for one in shown.all()} == {"item-knn"}


def test_finding_leaves_what_fits_and_says_how_much(visit: Visit, report: Path) -> None:
    page = visit(report)
    page.locator("#find").fill("recall")
    heads = [text.strip() for text in page.locator("th[data-name]:visible a").all_inner_texts()]
    assert heads == ["Recall@10"]
    assert "1 of" in page.locator("#said").inner_text()
    page.locator("#find").fill("item-knn")
    assert order(page).index("item-knn") == 2
    assert page.locator("table.matrix").first.locator("tbody tr:visible").count() == 1
    page.locator("#find").fill("")
    assert page.locator("table.matrix").first.locator("tbody tr:visible").count() == 4


def test_without_scripts_every_figure_and_every_verdict_is_there(
    visit: Visit, report: Path, estimates: dict[str, Any]
) -> None:
    page = visit(report, java_script_enabled=False)
    words = " ".join((page.locator("main").text_content() or "").split())
    tight = re.sub("[ ()]", "", words)
    for row in estimates["estimates"]:
        unit = estimates["definitions"][row["metric"]]["unit"] or ""
        shown = figure(row["value"], row["low"], row["high"], unit=unit, reason=row["reason"])
        said = f"{shown.value}{shown.spread}" if shown.known else shown.reason
        assert re.sub("[ ()]", "", said) in tight, row
    for verdict in estimates["verdicts"]:
        assert verdict["claim"] in words
        assert verdict["reason"] in words
    assert page.locator(".tools").is_hidden()
    page.locator(CELL).first.click()
    assert page.url.endswith("#s1m1")
    assert page.locator("#s1m1").is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_each_reader_gets_an_order_and_loses_nothing(visit: Visit, report: Path, scripts: bool) -> None:
    page = visit(report, java_script_enabled=scripts)

    def placed() -> list[str]:
        tops = "sections => sections.map(one => [one.getBoundingClientRect().top, one.id])"
        return [name for _, name in sorted(page.locator("main > section").evaluate_all(tops))]

    def listed() -> list[str]:
        """What the contents list names, as it stands there, without what is a part of another."""
        spots = "all => all.map(one => [one.offsetTop, one.offsetLeft, one.dataset.of])"
        found = dict.fromkeys(of for *_, of in sorted(page.locator("nav a").evaluate_all(spots)))
        return [of[1:] if of.startswith("#") else "s1" for of in found]

    first = placed()
    said = listed()
    assert said == [name for name in first if name in said]
    assert set(first) - set(said) == {"engineer", "owner", "user", "regulator"}
    assert first[0] == "answer"
    assert first.index("tested") < first.index("matrix") < first.index("s1")
    names = page.locator("nav a").all_inner_texts()
    assert {"Instances", "What was tested", "What was not tested"} <= set(names)
    for reader in ("engineer", "owner", "user", "regulator"):
        page.locator(f"label[for=for-{reader}]").click()
        assert placed()[:3] == [reader, "answer", "tested"]
        assert listed() == [name for name in placed() if name in said]
        assert sorted(placed()) == sorted(first)
    page.locator("label[for=for-all]").click()
    assert placed() == first


def test_colours_follow_the_system_until_they_are_chosen(visit: Visit, report: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page = visit(report, color_scheme="dark")
    dark = page.evaluate(paper)
    page.locator("label[for=theme-light]").click()
    light = page.evaluate(paper)
    assert dark != light == "rgb(255, 255, 255)"
    other = visit(report)
    assert other.evaluate(paper) == light
    other.locator("label[for=theme-dark]").click()
    assert other.evaluate(paper) == dark
    other.emulate_media(media="print")
    assert other.evaluate(paper) == light


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_scrolls_sideways_but_a_table_in_its_frame(visit: Visit, report: Path, width: int) -> None:
    page = visit(report, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(CELL).first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(page.screenshot()) > 20_000


def test_on_a_phone_each_model_is_a_card(visit: Visit, report: Path) -> None:
    page = visit(report, viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert page.locator("table.matrix thead").first.is_hidden()
    box = page.locator("table.matrix tbody tr").first.bounding_box()
    assert box["height"] > 150
    label = "getComputedStyle(document.querySelector('table.matrix td'), '::before').content"
    assert "NDCG@10" in page.evaluate(label)


def test_print_opens_what_claims_are_about_and_what_was_unfolded(visit: Visit, report: Path) -> None:
    for scripts in (True, False):
        page = visit(report, java_script_enabled=scripts)
        page.emulate_media(media="print")
        assert page.locator("#s1m1").is_visible()
        assert page.locator(".more").first.is_visible() or page.locator(".common").first.is_visible()
        assert page.locator(".choices").is_hidden()
        assert page.locator("#provenance pre").is_hidden()
        brief = page.locator("details.metric.aside .detail").first
        assert brief.is_hidden()
        assert page.locator(".scenario p.paper").first.is_visible()
        brief.evaluate("one => one.closest('details').open = true")
        assert brief.is_visible()  # what is unfolded on the page is printed
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 50_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(visit: Visit, report: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(report, color_scheme=scheme)
    page.evaluate(LESS)
    for part in (None, "dialog"):
        if part:
            page.locator(CELL).first.click()
        found = axe.Axe().run(page, context=part).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [node["html"][:150] for node in one["nodes"][:3]]) for one in serious] == []


def test_hostile_text_executes_nothing_and_can_be_opened(
    visit: Visit, quickstart: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(quickstart, tmp_path / "run"))
    bad = json.dumps(HOSTILE)[1:-1]
    for name in ("estimates.json", "run.json"):
        text = (run / name).read_text("utf-8")
        for word in ("item-knn", "ndcg", "NDCG", "top-k", "bootstrap-bca"):
            text = text.replace(word, bad)
        (run / name).write_text(text, "utf-8")
    page = visit(write_report(run, tmp_path / "hostile.html"))
    for cell in page.locator("table.matrix td a").all()[:3]:
        cell.click()
        assert page.get_by_role("dialog").locator("h2").is_visible()
        page.keyboard.press("Escape")
    for button in page.locator("button.sort").all()[:3]:
        button.click()
    page.locator("#find").fill("<img src=x onerror=alert(4)>")
    assert page.locator("img, main script, dialog script, [onerror], [onclick]").count() == 0
