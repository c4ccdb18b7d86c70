"""A report of 100,000 instances: how large it is, how long it takes to write, and how soon it opens.

    python benchmarks/report_size.py [--instances 10000 100000] [--texts 20000] [--run RUN ...]

Lists are those of the quickstart suite, with so many users of the synthetic world that its four models answer
that many cases; texts are those of four bundled writers, without judges. Play and score run before; what is
timed is `genrec-eval report` in a process of its own. Then a headless Chromium opens the page from disk,
three times in fresh contexts, and searches it and the file beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from genrec_eval.core.content import content

WRITERS = {
    "template": "template-writer",
    "misinformed": "contradicts-catalogue",
    "constant": "constant-text",
    "padder": "padded-text",
}
SHARE = 0.967
"""Users of the synthetic world that the quickstart suite asks about."""


def lists(instances: int) -> dict[str, Any]:
    """The quickstart suite with about so many instances."""
    suite = yaml.safe_load((content("suites") / "quickstart.yaml").read_text("utf-8"))
    suite["data"]["world"]["options"]["users"] = round(instances / 4 / SHARE)
    return dict(suite)


def texts(instances: int) -> dict[str, Any]:
    """Four writers, each about as many items as there are users."""
    users = round(instances / 4 / 0.9)
    return {
        "name": "texts",
        "seed": 7,
        "data": {
            "world": {"dataset": "synthetic", "options": {"users": users, "items": 300, "reviews": 0.2}}
        },
        "models": {name: {"adapter": "reference", "model": model} for name, model in WRITERS.items()},
        "scenarios": {
            "explanation": {
                "scenario": "explanation",
                "data": "world",
                "options": {
                    "split": {"method": "leave-one-out"},
                    "max_users": instances // 4,
                    "variants": [],
                    "reviews": 1,
                    "metrics": ["length", "supported", "contradicted(of=texts)"],
                },
            }
        },
        "baseline": "template",
    }


def played(suite: dict[str, Any], folder: Path) -> Path:
    """Play a suite and return its run directory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(json.dumps(suite), "utf-8")  # JSON is YAML
    words = ["run", str(folder / "suite.yaml"), "--out", str(folder / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "genrec_eval.cli.main", *words], stdout=subprocess.DEVNULL, check=False
    )
    assert done.returncode in (0, 1), done.returncode
    return folder / "run"


def written(run: Path, page: Path) -> dict[str, float]:
    """Write the report in a process of its own: seconds, CPU seconds, MiB of memory, bytes."""
    words = ["report", str(run), "--out", str(page)]
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "genrec_eval.cli.main", *words], stdout=subprocess.DEVNULL
    )
    _, code, used = os.wait4(child.pid, 0)
    assert code == 0, "the report failed"
    sidecar = page.with_name(f"{page.stem}.instances.jsonl.gz")
    return {
        "seconds": time.perf_counter() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1024,
        "page": page.stat().st_size,
        "sidecar": sidecar.stat().st_size if sidecar.is_file() else 0,
    }


def opened(page: Path) -> dict[str, Any]:
    """Open the page in headless Chromium: seconds until it is read, painted and searched."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(path for name in names if (path := shutil.which(name)))
    times: list[tuple[float, float]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for _ in range(3):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            tab = context.new_page()
            tab.goto(page.resolve().as_uri())
            read, painted = tab.evaluate(
                "() => [performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,"
                " performance.getEntriesByName('first-contentful-paint')[0].startTime]"
            )
            times.append((read / 1000, painted / 1000))
            context.close()
        file = _searched(browser, page)
        browser.close()
    return {
        "read": statistics.median(one[0] for one in times),
        "painted": statistics.median(one[1] for one in times),
        **file,
    }


def _searched(browser: Any, page: Path) -> dict[str, Any]:
    """Search what is in the page, then the file beside it."""
    sidecar = page.with_name(f"{page.stem}.instances.jsonl.gz")
    tab = browser.new_page()
    tab.goto(page.resolve().as_uri())
    inline = tab.evaluate(
        "() => new Promise((done) => { const box = document.querySelector('#find-q');"
        " const began = performance.now();"
        " new MutationObserver(() => done(performance.now() - began))"
        ".observe(document.querySelector('#finder > .i-told'), { childList: true });"
        " box.value = 'heron'; box.dispatchEvent(new Event('input', { bubbles: true })); })"
    )
    if not sidecar.is_file():
        return {"inline": inline / 1000, "file": None, "found": ""}
    tab.locator("#find-file").set_input_files(sidecar)
    said = tab.locator(".i-beside .i-told")
    began = time.perf_counter()
    tab.set_default_timeout(300_000)
    said.get_by_text("in the file fit").wait_for()
    return {"inline": inline / 1000, "file": time.perf_counter() - began, "found": said.text_content()}


def main() -> None:
    """One run for each size, then the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--texts", type=int, nargs="*", default=[20_000])
    parser.add_argument("--run", type=Path, nargs="*", default=[], help="Runs that are there already.")
    arguments = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}\n")
    print(
        "what                instances  write s  CPU s   MiB  page MB  beside MB"
        "  read s  painted s  search s  file s"
    )
    with tempfile.TemporaryDirectory() as temporary:
        made = [(f"lists {n:,}", played(lists(n), Path(temporary) / f"l{n}")) for n in arguments.instances]
        made += [(f"texts {n:,}", played(texts(n), Path(temporary) / f"t{n}")) for n in arguments.texts]
        made += [(run.name, run) for run in arguments.run]
        for name, run in made:
            page = Path(temporary) / f"{name.replace(' ', '-')}.html"
            one, seen = written(run, page), opened(page)
            held = json.loads((run / "run.json").read_text("utf-8"))["coverage"]
            file = "       " if seen["file"] is None else f"{seen['file']:8.2f}"
            print(
                f"{name[:18]:<18}{sum(row['attempted'] for row in held):>11,}"
                f"{one['seconds']:9.1f}{one['cpu']:7.1f}"
                f"{one['memory']:6.0f}{one['page'] / 1e6:9.2f}{one['sidecar'] / 1e6:11.2f}{seen['read']:8.2f}"
                f"{seen['painted']:11.2f}{seen['inline']:10.2f}{file}  {seen['found']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
