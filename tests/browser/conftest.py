"""A real browser, once for all tests; a page in it may ask nobody for anything and must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


# While Playwright is open its event loop counts as running in this thread: no later file may meet it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; its absence is a failure where GENREC_EVAL_NEEDS_BROWSER is 1."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        said = f"no browser: install playwright and one of {', '.join(NAMES)}"
        if os.environ.get("GENREC_EVAL_NEEDS_BROWSER") == "1":
            pytest.fail(said)
        pytest.skip(said)
    with sync_playwright() as playwright:
        # --no-sandbox: containers of CI lack what the sandbox needs; every page here is our own
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file; at the end of the test no page has sent a request, logged an error or shown a dialog."""
    contexts: list[Any] = []
    faults: list[str] = []

    def opened(path: Path, anchor: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        address = path.resolve().as_uri()

        def seen(request: Any) -> None:
            if request.url.partition("#")[0] != address and not request.url.startswith("blob:"):
                faults.append(f"request: {request.url}")

        def dismissed(dialog: Any) -> None:
            faults.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("request", seen)
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("dialog", dismissed)
        page.route(lambda url: not url.startswith(("file:", "blob:")), lambda route: route.abort())
        page.goto(address + anchor)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A played and scored run of the shipped quickstart suite, with its report."""
    from genrec_eval.api import run

    return run(
        "quickstart",
        out=tmp_path_factory.mktemp("browser") / "quickstart",
        limit=60,
        quiet=True,
    ).path
