"""The report as a reader's browser sees it: complete, self-contained, harmless, well nested."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from fixture_run import document, verdicts, write_run
from parsed_page import Page

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import figure
from genrec_eval.reporting.html import render_report, write_report
from genrec_eval.reporting.results import Results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return render_report(folder)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_estimate_and_every_verdict_stands_on_the_page(page: Page) -> None:
    units = {name: definition["unit"] for name, definition in document()["definitions"].items()}
    cells = page.words
    bare = cells.replace("(", "").replace(")", "")
    for row in document()["estimates"]:
        shown = figure(row["value"], row["low"], row["high"], unit=units[row["metric"]])
        assert f"{shown.value} {shown.spread}" in bare
    for verdict in verdicts():
        assert verdict.claim in cells
        assert verdict.reason in cells
    for word in ("FAIL", "INSUFFICIENT", "NOT-RUN", "PASS", "CAUGHT", "FINDING", "caught as expected"):
        assert word in cells
    assert "llm in top-k was not run" in cells
    assert "LLM_KEY is not set" in cells


def test_nothing_green_above_anything_red(html: str) -> None:
    assert html.rindex('class="card fail') < html.index('class="verdict pass')


def test_counts_stand_beside_the_figures(page: Page) -> None:
    assert "attempted 2,000, answered 2,000" in page.words
    assert "excluded 50: no relevant item 50" in page.words


def test_the_page_needs_nothing_from_elsewhere(page: Page, html: str) -> None:
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "img", "base"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action", "srcset", "xlink:href", "formaction"):
            assert attributes.get(name, "#").startswith("#")
    assert "@import" not in html
    assert "url(" not in html
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_one_script_and_the_policy_lets_only_that_one_run(page: Page, html: str) -> None:
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]
    (script,) = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\(", script
    )
    assert not re.search(r"setInterval|requestAnimationFrame|fetch\(|XMLHttp|WebSocket|sendBeacon", script)


def test_the_shell_is_small(html: str) -> None:
    shell = sum(
        len(part) for part in re.findall("<(?:style|script)>(.*?)</(?:style|script)>", html, re.DOTALL)
    )
    assert shell < 150_000


def test_every_link_leads_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids


def test_hostile_text_is_shown_and_does_nothing(page: Page, html: str) -> None:
    assert html.count("<script") == 1  # the page's own
    assert "\u202e" not in html
    assert "<script>alert('x')</script> ⟨U+202E⟩gnp.exe {{ 7*7 }} [red]" in page.words
    assert " 49 " not in page.words.split("gnp.exe", 1)[1][:20]


def test_hostile_names_are_harmless_everywhere(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    for name in ("estimates.json", "run.json"):
        text = (folder / name).read_text("utf-8")
        bad = json.dumps("</style></title><svg onload=alert(1)>\"'`\u2067\x00")[1:-1]
        (folder / name).write_text(
            text.replace("item-knn", bad).replace("2024-11-23-quickstart", bad), "utf-8"
        )
    text = render_report(folder)
    page = Page(text)
    assert not page.faults
    assert not page.open
    assert "<svg onload" not in text
    assert "\x00" not in text
    assert not any("onload" in attributes for _, attributes in page.tags)


def test_nesting_headings_captions_and_scopes(page: Page) -> None:
    assert not page.faults
    assert not page.open
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert all(
        any(name in attributes for name in ("aria-label", "aria-labelledby", "aria-hidden"))
        for tag, attributes in page.tags
        if tag == "svg"
    )
    assert ("a", {"class": "skip", "href": "#answer"}) in page.tags


def test_distributions_are_drawn_where_there_is_one(page: Page) -> None:
    drawn = [
        attributes for tag, attributes in page.tags if tag == "svg" and attributes["class"].startswith("b ")
    ]
    assert len(drawn) >= 5 * 4
    assert all("quartiles" in attributes["aria-label"] for attributes in drawn)
    assert "Not drawn over units: 0 or 1 for every unit, so that the share says all." in page.words
    assert "Not drawn over units: a figure of the whole run and not a mean over units." in page.words


def test_small_and_the_same_every_time(html: str, folder: Path) -> None:
    assert len(html.encode()) < 600_000
    assert html == render_report(folder)


def test_the_file_is_written_whole_and_alone(folder: Path, tmp_path: Path) -> None:
    path = write_report(folder, tmp_path / "deep" / "audit.html")
    assert path.read_text("utf-8").endswith("</html>")
    assert [entry.name for entry in path.parent.iterdir()] == ["audit.html"]
    assert write_report(folder) == folder / "report.html"


def test_a_bare_run_still_makes_a_report(tmp_path: Path) -> None:
    (tmp_path / "estimates.json").write_text('{"schema": 1, "run": "bare", "estimates": []}', "utf-8")
    page = Page(render_report(tmp_path))
    assert not page.faults
    assert "The suite makes no claim" in page.words
    assert "Everything that the suite names was run" in page.words


def test_missing_keys_are_tolerated(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "run.json").write_text(json.dumps({"models": None, "play": [{}], "data": {"x": None}}), "utf-8")
    data = document()
    data["definitions"] = {}
    del data["coverage"]
    (folder / "estimates.json").write_text(json.dumps(data), "utf-8")
    assert not Page(render_report(folder)).faults


@pytest.mark.parametrize("content", ["", "[1]", '{"estimates": NaN}', '{"schema": 7}'])
def test_a_broken_file_ends_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "estimates.json").write_text(content, "utf-8")
    with pytest.raises(UsageError, match=r"estimates\.json"):
        render_report(tmp_path)
    with pytest.raises(UsageError, match="missing"):
        render_report(tmp_path / "elsewhere")


def test_figures_that_could_not_be_computed_are_told_together(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    data = document()
    for row in data["estimates"]:
        if row["slice"] == "age=35+" and row["baseline"] is None:
            row |= {"value": None, "low": None, "high": None, "reason": "fewer than 5 units"}
    (folder / "estimates.json").write_text(json.dumps(data), "utf-8")
    words = Page(render_report(folder)).words
    assert "for age=35+ of random, popularity, item-knn and stutterer: fewer than 5 units" in words


def test_a_broken_table_ends_in_a_sentence(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "scores.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match=r"scores\.parquet"):
        render_report(folder)


def test_a_run_without_a_figure_has_no_empty_sections(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    data = document() | {"estimates": [], "verdicts": []}
    data["coverage"] = [
        row | {"state": "not-run", "attempted": 0, "answered": 0, "statuses": {}, "reason": "it is down"}
        for row in data["coverage"]
    ]
    (folder / "estimates.json").write_text(json.dumps(data), "utf-8")
    (folder / "records" / "part-0.parquet").unlink()
    page = Page(render_report(folder))
    assert "No figure could be computed, so nothing was decided. Not run: " in page.words
    assert "users asked" not in page.words
    assert "Figures of scenario" not in page.words
    assert "Definitions of the metrics" not in page.words
    links = {attrs["href"][1:] for tag, attrs in page.tags if tag == "a" and attrs["href"].startswith("#")}
    assert links <= {attrs.get("id", "") for _, attrs in page.tags}


def test_a_sample_is_not_told_as_the_whole_population(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    run["scenarios"]["top-k"] = {"cases": 60, "facts": {"users_evaluated": 489}}
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    assert "489 users; 60 of them drawn" in Page(render_report(folder)).words


def test_two_data_sets_of_one_name_are_told_apart_by_those_of_the_suite(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    run["data"]["other"] = run["data"]["world"] | {"facts": {"users": 7}}
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    words = Page(render_report(folder)).words
    assert "world: Synthetic world — 2,000 users" in words
    assert "other: Synthetic world — 7 users" in words


def test_models_stand_in_the_order_in_which_they_were_asked(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    data = document()
    data["coverage"] = data["coverage"][-1:] + data["coverage"][:-1]
    (folder / "estimates.json").write_text(json.dumps(data), "utf-8")
    assert "4 models: random, popularity, item-knn and stutterer" in Page(render_report(folder)).words
    assert Results.load(folder).models() == ["random", "popularity", "item-knn", "stutterer", "llm"]


def test_what_a_claim_expects_is_no_card_and_quiet_checks_are_folded(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    words = Page(render_report(folder)).words
    assert "1 finding in 4 checks, all expected by a claim" in words
    assert "1 built-in check found what a claim expects" in words
    assert "Faults beyond chance: stutterer (Duplicates@10" in words
    data = document()
    data["verdicts"] = [row for row in data["verdicts"] if row["claim"] == "Lists hold no item twice"]
    data["verdicts"][0]["verdict"] = "PASS"
    (folder / "estimates.json").write_text(json.dumps(data), "utf-8")
    words = Page(render_report(folder)).words
    assert "No finding in Duplicates@10" in words
    assert "(Duplicates@10" not in words
