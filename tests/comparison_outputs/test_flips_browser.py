"""The page in a browser: kinds without scripts, search with them, no request, no serious fault of access."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comparison_fixture import comparison, hostile

from genrec_eval.reporting.comparison.html import write_comparison

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_flips_are_sifted_by_kind_and_searched(browser: Any, tmp_path: Path, scripts: bool) -> None:
    path = write_comparison(comparison(), tmp_path / "comparison.html")
    page = browser.new_context(java_script_enabled=scripts).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    assert page.locator(".flip:visible").count() == 4
    page.get_by_label("lost 1").check()
    assert page.locator(".flip:visible").count() == 1
    assert page.locator(".flip:visible").get_attribute("data-kind") == "lost"
    page.get_by_label("all 4 quoted").check()
    field = page.get_by_label("Find")
    assert field.is_visible() == scripts
    if scripts:
        field.fill("collateral")
        assert page.locator(".flip:visible").count() == 1
        assert page.locator(".flips output").inner_text() == "1 of 4 hold it"
        field.fill("")
        assert page.locator(".flip:visible").count() == 4
        field.fill("collateral")
        page.emulate_media(media="print")
        assert page.locator(".flip:visible").count() == 4
    assert said == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_accessible_and_fits(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    dialogs: list[Any] = []
    for found in (comparison(), hostile()):
        path = write_comparison(found, tmp_path / "comparison.html")
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        page.on("dialog", lambda dialog: dialogs.append(dialog))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert dialogs == []
        faults = axe.Axe().run(page).response["violations"]
        assert [fault["id"] for fault in faults] == []
        page.close()
