"""Models that raise, answer nonsense, send too much or hang: the run goes on and says what went wrong."""

from __future__ import annotations

import re
import subprocess
import time

import pytest
from workshop import Workshop, flat

CASES = 35


def function(body: str) -> str:
    return f"def recommend(user, history, k):\n    {body}\n"


def batch(body: str) -> str:
    head = "import numpy as np\nfrom genrec_eval.protocol.batch import RankedBatch\n"
    return f"{head}def recommend(batch):\n    n = len(batch)\n    {body}\n"


def adapter(body: str, identity: str = "{'version': 1}") -> str:
    return (
        "from genrec_eval.protocol.model import Model\nclass recommend(Model):\n"
        "    kinds = frozenset({'rank'})\n"
        f"    def identity(self):\n        return {identity}\n"
        f"    async def answer(self, request, call):\n        {body}\n"
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nothing_here_x\n", "importing 'model.py' raised ModuleNotFoundError: No module named"),
        (
            "def recommend(user, history, k)\n",
            "importing 'model.py' raised SyntaxError: expected ':' (model.py",
        ),
        ("def recomend(user, history, k): ...\n", "'model.py' has no 'recommend'; did you mean 'recomend'?"),
        ("def recommend(a, b): ...\n", "takes (a, b); to answer rank it must take (user, history, k)"),
        (
            "class recommend:\n    def __init__(self):\n        raise OSError('no weights')\n",
            "building 'model.py:recommend' raised OSError: no weights (model.py:3)",
        ),
        (
            "class recommend:\n    def fit(self, training):\n        raise MemoryError\n"
            "    def rank(self, request): ...\n",
            "'model.py:recommend'.fit raised MemoryError (model.py:3)",
        ),
        (
            adapter("...", identity="{'of': object()}"),
            "identity() is not plain data that could be a cache key",
        ),
    ],
)
def test_a_model_that_cannot_be_built(shop: Workshop, source: str, sentence: str) -> None:
    said = shop.run({"mine": shop.python(source)})
    assert said.code == 2
    assert re.match(r"suite\.yaml:\d+: model 'mine': ", said.sentence())
    assert sentence in said.err


NONSENSE = [
    (function("return history[99]"), False, "error: IndexError: list index out of range (model.py:2)"),
    (function("return int(user)"), False, "error: ValueError: invalid literal for int()"),
    (function("raise SystemExit(0)"), False, "error: SystemExit: 0 (model.py:2)"),
    (function("raise KeyboardInterrupt"), False, "error: RuntimeError: the model raised KeyboardInterrupt"),
    (function("return None"), False, "invalid: items is null, not a list"),
    (function("return 'i001'"), False, "invalid: items is a string, not a list"),
    (function("return [1.5, 2.5]"), False, "invalid: items[0] is a float; ids are strings or integers"),
    (function("return [('i001', float('nan'))]"), False, "invalid: scores holds NaN at position 0"),
    (
        function("return {'items': ['i001', 'i002'], 'scores': [1]}"),
        False,
        "scores holds 1 values for 2 items",
    ),
    (function("return {'itms': []}"), False, "invalid: the answer has no 'items' (its keys: itms)"),
    (function("return ['\\ud800']"), False, "items[0] holds a lone surrogate at position 0"),
    (
        function("return ['x' * 10_000_000]"),
        False,
        "oversized: items[0] has 10,000,000 characters; an id may",
    ),
    (
        function("return ['x' * 900] * 12_000"),
        False,
        "oversized: answer of 10,836,011 bytes; at most 1,048,576",
    ),
    (function("raise ValueError('y' * 10_000_000)"), False, "error: ValueError: yyyy"),
    (batch("raise MemoryError('too big')"), True, "error: MemoryError: too big (model.py:5)"),
    (batch("return None"), True, "invalid: the answer is a NoneType, not a RankedBatch, an array or lists"),
    (batch("return np.zeros((3, 3), int)"), True, f"invalid: items holds 3 rows for {CASES} users"),
    (batch("return np.zeros(n, int)"), True, "items is int64[1 axes]; catalogue codes are int32[n, k]"),
    (
        batch("return np.zeros((n, 3, 2), int)"),
        True,
        "items is int64[3 axes]; catalogue codes are int32[n, k]",
    ),
    (batch("return np.zeros((n, 3))"), True, "items is float64[2 axes]; catalogue codes are int32[n, k]"),
    (
        batch("return np.full((n, 3), 10**12)"),
        True,
        "items[0] is 1000000000000; catalogue codes run from 0 to 59",
    ),
    (batch("return [['a']] * (n - 1)"), True, f"the answer holds {CASES - 1} lists for {CASES} users"),
    (
        batch("return RankedBatch(items=np.zeros((n, 3), np.int32), scores=np.full((n, 3), np.nan))"),
        True,
        "invalid: scores holds nan at position 0",
    ),
    (
        batch("return RankedBatch(items=np.zeros((n, 3), np.int32), scores=np.zeros(2))"),
        True,
        f"scores is float64[2] beside items[{CASES}, 3]",
    ),
    (adapter("raise KeyError('x')"), False, "error: KeyError: 'x' (model.py:7)"),
    (adapter("return ['i001']"), False, "error: the adapter returned a list, not an Answer"),
]


@pytest.mark.parametrize(("source", "batched", "sentence"), NONSENSE, ids=[row[2][:40] for row in NONSENSE])
def test_a_model_that_answers_nonsense(shop: Workshop, source: str, batched: bool, sentence: str) -> None:
    model = shop.python(source, **({"batch": True} if batched else {}))
    said = shop.run({"mine": model})
    assert said.code == 3
    row = shop.coverage()
    start = f"error budget of 0.05 exceeded (engine.error_budget); {CASES} of {CASES} cases failed: "
    assert row["reason"].startswith(start)
    assert sentence in row["reason"]
    assert len(row["reason"]) < 500
    assert f"ERRORS - mine in top-k: {start}" in flat(said.out)
    assert sentence.split(" (model")[0] in flat(said.out)
    assert start in shop.report
    records = shop.records()
    assert len(records) == CASES
    assert {record["status"] for record in records} == set(row["statuses"])
    assert all(record["error"] and len(record["error"]) < 1000 for record in records)


def test_a_broken_model_leaves_the_others_whole(shop: Workshop) -> None:
    models = {"mine": shop.python(adapter("raise KeyError('x')"))}
    said = shop.run({**models, "popularity": {"adapter": "reference", "model": "popularity"}})
    assert said.code == 3
    assert shop.coverage()["statuses"] == {"error": CASES}
    assert shop.coverage("popularity")["statuses"] == {"ok": CASES}


def test_some_bad_answers_within_the_budget_are_told_too(shop: Workshop) -> None:
    source = function("return ['i01'] if user != USER else 1 / 0").replace("def", "USER = None\ndef", 1)
    shop.run({"mine": shop.python(source)})
    user = shop.records()[0]["unit"]
    said = shop.run({"mine": shop.python(source.replace("None", repr(user)))})
    assert said.code == 0
    reason = f"1 of {CASES} cases failed: error: ZeroDivisionError: division by zero (model.py:3) (1)"
    assert shop.coverage()["reason"] == reason
    assert f"ERRORS - mine in top-k: {reason}" in flat(said.out)
    assert reason in shop.report


def test_quiet_still_says_why_the_exit_code_is_3(shop: Workshop) -> None:
    shop.suite({"mine": shop.python(function("return 1 / 0"))})
    said = shop.again("--quiet")
    assert said.code == 3
    assert said.out == ""
    assert "ERRORS - mine in top-k: error budget of 0.05 exceeded" in flat(said.err)


def test_a_claim_about_a_broken_model_is_not_decided(shop: Workshop) -> None:
    claim = {"claim": "c", "scenario": "top-k", "metric": "recall@3", "model": "mine", "at_most": 1}
    said = shop.run({"mine": shop.python(function("return 1 / 0"))}, claims=[claim])
    assert said.code == 3
    assert "only 0 % of the cases were answered by mine, and a decision needs 95 %" in flat(said.out)


def test_a_model_that_is_repaired_is_asked_again_and_others_are_not(shop: Workshop) -> None:
    count = "open('asked.txt', 'a').write(user + '\\n')"
    good = {"adapter": "python", "target": "good.py:recommend"}
    (shop.folder / "good.py").write_text(function(f"{count}; return []"))
    models = {"mine": shop.python(function("return 1 / 0")), "good": good}
    assert shop.run(models).code == 3
    shop.python(function("return []"))
    assert shop.again().code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}
    assert len((shop.folder / "asked.txt").read_text().split()) == CASES


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_that_hangs_is_given_up_and_the_program_ends(shop: Workshop, kind: str) -> None:
    wait = "import time; time.sleep(3600)" if kind == "def" else "import asyncio; await asyncio.sleep(3600)"
    source = function(f"{wait}").replace("def", kind, 1)
    shop.suite({"mine": shop.python(source, timeout=0.05)}, engine={"limit": 4})
    started = time.monotonic()
    said = shop.shell(timeout=30)
    assert time.monotonic() - started < 20
    assert said.code == 3
    row = shop.coverage()
    assert set(row["statuses"]) <= {"timeout", "not_attempted"}
    assert "timeout: no answer within 0.05 s" in row["reason"]
    if kind == "def":
        cause = "8 calls of the model timed out and never came back; raise 'timeout' if it is slow"
        assert cause in row["reason"]
        assert cause in flat(said.text)


def test_one_hanging_case_does_not_stop_the_rest(shop: Workshop) -> None:
    source = (
        "import time\nfrom itertools import count\nnumber = count()\n"
        "def recommend(user, history, k):\n    time.sleep(3600 * (next(number) == 3))\n    return []\n"
    )
    assert shop.run({"mine": shop.python(source, timeout=0.3)}).code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES - 1, "timeout": 1}
    said = shop.again()  # a time-out is asked again, an answer is not
    assert said.code == 0
    assert shop.coverage()["statuses"] == {"ok": CASES}
    assert [status for status, _, _ in shop.journal()].count("ok") == CASES


def test_output_that_a_model_prints_does_not_break_the_run(shop: Workshop) -> None:
    shop.suite({"mine": shop.python(function("print('\\x1b[2J chatter'); return []"))})
    done = subprocess.run(shop.command("--quiet"), capture_output=True, text=True, cwd=shop.folder)
    assert done.returncode == 0


def test_the_summary_of_many_different_errors_is_short_and_the_same_in_any_order() -> None:
    import pyarrow as pa

    from genrec_eval.engine.failures import Failures

    words = [f"{chr(97 + i // 26 % 26)}{chr(97 + i % 26)}" for i in range(600)]
    rows: list[tuple[str, str | None]] = [("error", f"no user '{i}' at 0x7f{i:08x}") for i in range(500)]
    rows += [("error", f"oddity {word}") for word in words]
    rows += [("ok", None)] * 50 + [("missing", None)] * 7
    said = set()
    for order in (rows, rows[::-1], rows[300:] + rows[:300]):
        failures = Failures(most=100)
        for start in range(0, len(order), 64):
            some = order[start : start + 64]
            status = pa.array([row[0] for row in some]).dictionary_encode()
            failures.add(status, pa.array([row[1] for row in some], pa.string()))
        said.add(failures.sentence(len(rows)))
        assert len(failures._kinds) <= 100
    (sentence,) = said
    assert sentence is not None
    assert sentence.startswith("1,107 of 1,157 cases failed: ")
    assert len(sentence) < 400
