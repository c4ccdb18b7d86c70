"""Services and programs that are dead, refuse, or send garbage: nothing answered before is asked again."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workshop import WORLD, Workshop, flat

from genrec_eval.data.dataset import Training
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.serving.faults import Faults
from genrec_eval.serving.run import serve_in_thread

CASES = 35
ADAPTERS = ("http", "openai", "openai-stream")

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """What the server's models learn from: the world of the suites."""
    data = SyntheticSpec.model_validate(WORLD).load(tmp_path_factory.mktemp("world"), 0)
    return SplitSpec().apply(data, None).training


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nothing listens: the port is bound, so that nobody else takes it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def entry(adapter: str, url: str, **keys: Any) -> dict[str, Any]:
    """The model of a suite behind a server."""
    if adapter == "http":
        return {"adapter": "http", "url": f"{url}/rank", **keys}
    stream = adapter == "openai-stream"
    chat = {"model": "item-knn", "api_key": "none", "stream": stream, "recommender": {"prompt": "rank-list"}}
    return {"adapter": "openai", "base_url": f"{url}/v1", **chat, **keys}


@pytest.mark.parametrize("adapter", ADAPTERS[:2])
def test_an_endpoint_that_is_dead(shop: Workshop, dead: str, adapter: str) -> None:
    said = shop.run({"mine": entry(adapter, dead)}, engine={"retries": 1})
    assert said.code == 3
    row = shop.coverage()
    assert row["state"] == "partial"
    assert "given up" in row["reason"]
    assert f": {dead}/" in row["reason"]
    assert "cannot be reached: " in row["reason"]
    assert "run again to ask" in flat(said.out)
    assert row["statuses"]["not_attempted"] + row["statuses"]["unavailable"] == CASES
    assert {status for status, _, _ in shop.journal()} == {"unavailable"}


@pytest.mark.parametrize(
    ("adapter", "sentence"),
    [
        ("http", "/rank answered 401 Unauthorized: check the key in 'headers' of the model (given: x-other)"),
        ("openai", "/v1 answered 401: "),
        ("openai-stream", "/v1 answered 401: "),
    ],
)
def test_a_key_that_is_refused_stops_the_model_at_once(
    shop: Workshop, training: Training, adapter: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENREC_TEST_KEY", "right-key-0123456789")
    keys = {"headers": {"x-other": "${env:GENREC_TEST_KEY}"}} if adapter == "http" else {}
    with serve_in_thread(training, ["item-knn"], api_key="right-key-0123456789") as server:
        said = shop.run({"mine": entry(adapter, server.url, **keys)})
        assert said.code == 3
        row = shop.coverage()
        assert (row["state"], row["attempted"]) == ("not-run", 0)
        assert sentence in row["reason"]
        assert f"NOT-RUN - mine in top-k: {server.url}{sentence}" in flat(said.out)
        assert shop.journal() == []
        good = {"api_key": "${env:GENREC_TEST_KEY}"}
        if adapter == "http":
            good = {"headers": {"authorization": "Bearer ${env:GENREC_TEST_KEY}"}}  # type: ignore[dict-item]
        assert shop.run({"mine": entry(adapter, server.url, **good)}).code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}


TRANSIENT = [
    ({"error_429": 1, "retry_after": 0}, {}, "rate_limited", "answered 429"),
    ({"error_5xx": 1}, {}, "unavailable", "answered 50"),
    ({"truncate": 1}, {}, "unavailable", "cut its answer off"),
    ({"stall": 1}, {"timeout": 0.1}, "timeout", "no answer within 0.1 s"),
]


@pytest.mark.parametrize("adapter", ADAPTERS[:2])
@pytest.mark.parametrize(
    ("faults", "engine", "status", "sentence"), TRANSIENT, ids=["429", "5xx", "truncated", "stalled"]
)
def test_trouble_that_does_not_pass(
    shop: Workshop,
    training: Training,
    adapter: str,
    faults: dict[str, Any],
    engine: dict[str, Any],
    status: str,
    sentence: str,
) -> None:
    with serve_in_thread(training, ["item-knn"], Faults.model_validate(faults)) as server:
        said = shop.run({"mine": entry(adapter, server.url)}, engine={"retries": 1, "limit": 2, **engine})
    assert said.code == 3
    row = shop.coverage()
    assert row["state"] == "partial"
    assert set(row["statuses"]) == {status, "not_attempted"}
    assert "given up after 3 unanswered cases in a row: " in row["reason"]
    assert sentence in row["reason"]
    assert sentence in flat(said.out)
    assert "run again to ask the rest" in flat(said.err)
    assert {found for found, _, _ in shop.journal()} == {status}
    assert len(shop.records()) == row["attempted"]


def test_a_stream_that_is_always_cut(shop: Workshop, training: Training) -> None:
    with serve_in_thread(training, ["item-knn"], Faults(truncate=1)) as server:
        said = shop.run({"mine": entry("openai-stream", server.url)}, engine={"retries": 1})
    assert said.code == 3
    assert "unavailable: " in shop.coverage()["reason"]
    assert f"{server.url}/v1 cut its answer off" in flat(said.out)
    assert {status for status, _, _ in shop.journal()} == {"unavailable"}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_malformed_json(shop: Workshop, training: Training, adapter: str) -> None:
    with serve_in_thread(training, ["item-knn"], Faults(malformed=1)) as server:
        said = shop.run({"mine": entry(adapter, server.url)})
    assert said.code == 3
    row = shop.coverage()
    assert row["statuses"] == {"invalid": CASES}
    assert f"{CASES} of {CASES} cases failed: invalid: the answer is not JSON: " in row["reason"]
    assert "ERRORS - mine in top-k: error budget of 0.05 exceeded" in flat(said.out)
    assert all(record["raw"] or adapter != "http" for record in shop.records())  # what came is kept


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_was_answered_before_the_trouble_is_not_asked_again(
    shop: Workshop, training: Training, adapter: str, tmp_path: Path
) -> None:
    log = tmp_path / "calls.jsonl"
    faults = Faults(error_5xx=0.4, truncate=0.2, max_faults_per_request=1)
    with serve_in_thread(training, ["item-knn"], faults, log=log) as server:
        models = {"mine": entry(adapter, server.url)}
        first = shop.run(models, engine={"retries": 0, "breaker": 99})
        assert first.code == 3
        lost = shop.coverage()["statuses"]["unavailable"]
        assert 0 < lost < CASES
        again = shop.run(models, engine={"retries": 0, "breaker": 99})
        assert again.code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}
    calls = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert calls.count("request") == CASES + lost


def test_one_dead_service_leaves_the_other_model_whole(shop: Workshop, dead: str, training: Training) -> None:
    with serve_in_thread(training, ["item-knn"]) as server:
        said = shop.run(
            {"mine": entry("http", dead), "well": entry("http", server.url)}, engine={"retries": 0}
        )
    assert said.code == 3
    assert shop.coverage("well")["statuses"] == {"ok": CASES}
    assert shop.coverage("mine")["answered"] == 0


PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    {body}
    print(json.dumps({{"id": asked["id"], "items": ["i001"]}}), flush=True)
"""


def program(shop: Workshop, body: str, **keys: Any) -> dict[str, Any]:
    (shop.folder / "child.py").write_text(PROGRAM.format(body=body))
    return {"adapter": "process", "command": [sys.executable, "child.py"], **keys}


def test_a_child_that_dies_once_is_started_again(shop: Workshop) -> None:
    body = "\n    ".join(
        [
            "import pathlib",
            "if asked['id'] == 5 and not pathlib.Path('died').exists():",
            "    pathlib.Path('died').touch()",
            "    sys.exit('out of memory')",
        ]
    )
    said = shop.run({"mine": program(shop, body)})
    assert said.code == 0
    assert (shop.folder / "died").exists()
    assert shop.coverage()["statuses"] == {"ok": CASES}
    assert sum(attempts for _, _, attempts in shop.journal()) == CASES + 1


def test_a_child_that_always_dies(shop: Workshop) -> None:
    said = shop.run({"mine": program(shop, "sys.exit('no model file')")}, engine={"retries": 1})
    assert said.code == 3
    row = shop.coverage()
    assert row["state"] == "partial"
    words = "exited with code 1; its last words: no model file"
    assert words in row["reason"]
    assert words in flat(said.out)
    shop.run({"mine": program(shop, "pass")}, engine={"retries": 1})
    assert shop.coverage()["statuses"] == {"ok": CASES}


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (
            "print('loading model ...', flush=True); continue",
            "invalid",
            "wrote a line that is not JSON: 'loading",
        ),
        ("asked['id'] += 1", "invalid", "to the question with id"),
        (
            "print(json.dumps({'id': asked['id'], 'items': 7}), flush=True); continue",
            "invalid",
            "items is an int",
        ),
        (
            "print(json.dumps({'id': asked['id'], 'items': ['x' * 99999]}), flush=True); continue",
            "oversized",
            "",
        ),
        (
            "print('x' * 10_000_000, flush=True); continue",
            "oversized",
            "larger than 1,000,000 bytes (max_bytes)",
        ),
        ("print(json.dumps({'id': asked['id'], 'error': 'cold'}), flush=True); continue", "error", "cold"),
    ],
)
def test_a_child_that_prints_garbage(shop: Workshop, body: str, status: str, sentence: str) -> None:
    model = program(shop, body, max_bytes=1_000_000, workers=2)
    said = shop.cli("run", shop.suite({"mine": model}), "--out", shop.run_directory, "--limit", 6)
    assert said.code == 3
    row = shop.coverage()
    assert row["statuses"] == {status: 6}
    assert sentence in row["reason"]
    assert sentence in flat(said.out)


def test_a_child_that_hangs(shop: Workshop) -> None:
    model = program(shop, "import time; time.sleep(3600)", timeout=0.2)
    suite = shop.suite({"mine": model}, engine={"retries": 0})
    said = shop.cli("run", suite, "--out", shop.run_directory, "--limit", 3)
    assert said.code == 3
    assert "timeout: no answer within 0.2 s" in shop.coverage()["reason"]
