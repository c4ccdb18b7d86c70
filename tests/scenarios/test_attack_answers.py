"""Answers that strangers gave to rating requests and with semantic ids, and what became of them."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.requests import RateRequest
from genrec_eval.protocol.results import Ruling
from genrec_eval.scenarios.base import SCENARIOS

WORLD = {"users": 40, "items": 60, "interactions_per_user": 12}
SUITE: dict[str, Any] = {
    "name": "ratings",
    "data": {"world": {"dataset": "synthetic", "options": WORLD}},
    "scenarios": {"rating": {"scenario": "rating", "data": "world", "options": {"metrics": ["rmse", "mae"]}}},
}

# -- the same model behind every adapter that rates

MIDDLE = """
def predict(request):
    return [3.0 for item in request.items]
"""

PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], "ratings": [3.0 for _ in asked["request"]["items"]]}), flush=True)
"""


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"ratings": [3.0 for _ in asked["items"]]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/rate"
    server.shutdown()
    server.server_close()


def test_functions_processes_and_services_rate_alike(tmp_path: Path, address: str) -> None:
    (tmp_path / "model.py").write_text(MIDDLE)
    (tmp_path / "program.py").write_text(PROGRAM)
    models = {
        "function": {"adapter": "python", "target": "model.py:predict", "kinds": ["rate"]},
        "program": {"adapter": "process", "command": [sys.executable, "program.py"], "kinds": ["rate"]},
        "service": {"adapter": "http", "url": address, "kinds": ["rate"]},
    }
    path = tmp_path / "suite.json"
    path.write_text(json.dumps({**SUITE, "models": models, "engine": {"repeats": 2}}))
    run = genrec_eval.run(path, out=tmp_path / "run", quiet=True, report=False)
    found = run.estimates.query("slice == 'all' and baseline.isnull()")
    for name in ("rmse", "mae", "missing_ratings"):
        values = found[found["metric"] == name]["value"].tolist()
        assert len(values) == 3
        assert len(set(values)) == 1
    rows = run.directory.cases("rating").to_pylist()
    squares = [(rating - 3.0) ** 2 for row in rows for rating in row["ratings"]]
    mean = math.sqrt(sum(squares) / len(squares))
    assert found[found["metric"] == "rmse"]["value"].iloc[0] == pytest.approx(mean)


# -- wrong ratings


class Rater:
    """Rates every item of a user by one function of the request."""

    def __init__(self, of: Callable[[RateRequest], float | None]) -> None:
        self.of = of

    def rate(self, request: RateRequest) -> list[float | None]:
        return [self.of(request) for _ in request.items]


def test_wild_other_scaled_and_withheld_ratings_are_named_and_decide_nothing(tmp_path: Path) -> None:
    claims = [
        {"claim": f"{name} is close", "scenario": "rating", "metric": "rmse", "model": name, "at_most": 900}
        for name in ("wild", "percent", "choosy")
    ]
    run = genrec_eval.run(
        {**SUITE, "claims": claims},
        models={
            "wild": Rater(lambda _: 1e200),  # type: ignore[dict-item]
            "percent": Rater(lambda _: 70.0),  # type: ignore[dict-item]
            "choosy": Rater(lambda request: None if len(request.history) > 6 else 3.0),  # type: ignore[dict-item]
        },
        out=tmp_path / "run",
        quiet=True,
        report=False,
    )
    reasons = run.coverage.set_index("model")["reason"]
    assert "1e+200, which is on no scale of ratings" in reasons["wild"]
    assert run.coverage.set_index("model")["remark"]["percent"] == (
        "100% of the predicted ratings are far off the scale of the training (1 to 5), such as 70"
    )
    verdicts = run.verdicts.query("gate").set_index("model")
    assert verdicts["verdict"].tolist() == [Ruling.INSUFFICIENT, Ruling.PASS, Ruling.INSUFFICIENT]
    assert "of the cases got no prediction" in verdicts["reason"]["choosy"]


def test_repeats_are_averaged_before_they_are_scored_and_cases_of_a_user_are_one_unit() -> None:
    world = SyntheticSpec.model_validate({"users": 50, "items": 70, "interactions_per_user": 20})
    family = SCENARIOS.get("rating")
    split = {"method": "session", "gap": 400_000, "fraction": 0.6}
    scenario = family(family.Options.model_validate({"split": split}), 3)
    prepared = scenario.prepare(world.load(Path(), 5))
    rows = prepared.cases.to_pylist()
    users = [row["unit"] for row in rows]
    assert len(set(users)) < len(rows)  # several sessions of one user
    assert len({row["case"] for row in rows}) == len(rows)
    draw = np.random.default_rng(2)
    told: dict[str, list[list[float | None]]] = {}
    parts = []
    for repeat in range(2):
        answers = [[*draw.choice([1.0, 2.5, 5.0], len(row["targets"]))] for row in rows]
        for answer, row in zip(answers, rows, strict=True):
            if draw.random() < 0.2:
                answer[0] = None
            told.setdefault(row["case"], []).append(answer)
        status = ["ok"] * len(rows)
        parts.append(
            pa.record_batch(
                {
                    "case": pa.array([row["case"] for row in rows]),
                    "repeat": pa.array([repeat] * len(rows), pa.int16()),
                    "status": pa.array(status).dictionary_encode(),
                    "ratings": pa.array(answers, pa.list_(pa.float64())),
                }
            )
        )
    found = scenario.score(prepared.cases, prepared.context, parts)
    units = found.units.to_pylist()
    assert sorted(units) == sorted(set(users))
    errors: dict[str, list[float]] = {unit: [] for unit in units}
    for row in rows:
        for place, rating in enumerate(row["ratings"]):
            given = [answer[place] for answer in told[row["case"]] if answer[place] is not None]
            if given:
                errors[row["unit"]].append(abs(sum(given) / len(given) - rating))
    mae = found.scores["mae"]
    assert mae.weights is not None
    assert mae.weights.tolist() == [len(errors[unit]) for unit in units]
    assert mae.values.tolist() == pytest.approx([sum(errors[u]) / max(1, len(errors[u])) for u in units])


# -- semantic ids


def semantic() -> tuple[Dataset, Any]:
    """Three items share an id, one has none."""
    world = SyntheticSpec.model_validate({"users": 30, "items": 40, "interactions_per_user": 12}).load(
        Path(), 1
    )
    tokens = [[f"<a_{n % 7}>", f"<b_{n // 7}>"] for n in range(len(world.items))]
    tokens[1] = tokens[2] = tokens[0]
    tokens[3] = []
    table = world.item_table.append_column("semantic_id", pa.array(tokens))
    family = SCENARIOS.get("generative-retrieval")
    options = {
        "metrics": ["ndcg(gain=exp)", "recall"], "relevance": "rating", "k": 5,
        "split": {"method": "global-temporal", "fraction": 0.6},
    }  # fmt: skip
    return replace(world, item_table=table), family(family.Options.model_validate(options), 1)


def test_slices_with_failed_answers_are_read() -> None:
    world, scenario = semantic()
    prepared = scenario.prepare(world)
    cases = prepared.cases.column("case").to_pylist()
    answers = [["<a_0><b_0>", "<a_0><B_0>", None], None, *[[world.items.strings[3]]] * (len(cases) - 2)]
    status = ["ok", "timeout", *["ok"] * (len(cases) - 2)]
    batch = pa.record_batch(
        {
            "case": pa.array(cases),
            "repeat": pa.array([0] * len(cases), pa.int16()),
            "status": pa.array(status).dictionary_encode(),
            "items": pa.array(answers, pa.list_(pa.string())),
        }
    )
    whole = scenario.score(prepared.cases, prepared.context, [batch])
    cut = scenario.score(prepared.cases, prepared.context, [batch.slice(0, 1), batch.slice(1)])
    for name, scores in whole.scores.items():
        assert cut.scores[name].values.tolist() == scores.values.tolist()
    assert whole.scores["invalid@5"].values[0] == pytest.approx(2 / 3)
    assert whole.scores["collision@5"].values[0] == pytest.approx(1 / 3)
    assert whole.answered.tolist() == [True, False, *[True] * (len(cases) - 2)]


def test_items_that_share_an_id_have_the_best_of_their_grades() -> None:
    from genrec_eval.scenarios.semantic_ids import by_semantic_id

    world, scenario = semantic()
    prepared = scenario.prepare(world)
    table, items, _ = by_semantic_id(prepared.cases, prepared.context["items"], [])
    shown = items.column("item").to_pylist()
    spelled = [
        "".join(tokens) or name
        for name, tokens in zip(
            world.items.strings, prepared.context["items"].column("semantic_id").to_pylist(), strict=True
        )
    ]
    for old, new in zip(prepared.cases.to_pylist(), table.to_pylist(), strict=True):
        best: dict[str, float] = {}
        for code, grade in zip(old["truth"], old["grades"], strict=True):
            best[spelled[code]] = max(grade, best.get(spelled[code], -1.0))
        assert dict(zip((shown[code] for code in new["truth"]), new["grades"], strict=True)) == best
