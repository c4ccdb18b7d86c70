"""Functions, classes and objects as models: every way to write one, and every way to get it wrong."""

from __future__ import annotations

import asyncio
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.models.python import PythonSpec, from_callable
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.arrays import Ragged, Vocabulary
from genrec_eval.protocol.batch import RankBatch, RankedBatch
from genrec_eval.protocol.model import Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import (
    ChatRequest,
    ImageRequest,
    Message,
    RankRequest,
    RateRequest,
    Request,
)
from genrec_eval.protocol.responses import Answer, ChatResponse, RankResponse, RateResponse
from genrec_eval.protocol.status import CODES, Status

RANK = RankRequest(user="u1", history=("a", "b"), k=2, candidates=("c", "d"), profile={"age": 30})
CHAT = ChatRequest(messages=(Message("user", "hello"),))


def context(folder: Path = Path(), training: Any = None, seed: int = 7) -> BuildContext:
    return BuildContext(name="mine", folder=folder, training=training, seed=seed)


def ask(model: Any, request: Request = RANK, repeat: int = 0) -> Answer:
    assert isinstance(model, Model)
    return asyncio.run(model.answer(request, Call(repeat=repeat)))


def written(folder: Path, source: str, **settings: Any) -> Any:
    (folder / "model.py").write_text(textwrap.dedent(source))
    settings = {"target": "model.py:recommend", **settings}
    return PythonSpec(**settings).build(context(folder))


@pytest.mark.parametrize(
    "function",
    [
        lambda user, history, k: ["c", "d"],
        lambda u, h, n: ["c", "d"],
        lambda *args: ["c", "d"],
        lambda candidates: candidates,
        lambda k, candidates, profile=None, user=None: candidates[:k] if profile["age"] == 30 else [],
        lambda request: list(request.candidates),
        lambda user, history, k: [("c", 2.0), ("d", 1.0)],
        lambda user, history, k: {"items": ["c", "d"], "scores": [2, 1]},
        lambda user, history, k: RankResponse(items=("c", "d")),
        lambda user, history, k: np.array(["c", "d"]),
        lambda user, history, k, *, depth=3: ("c", "d"),
    ],
)
def test_a_rank_function_may_be_written_in_several_ways(function: Any) -> None:
    answer = ask(from_callable(function, context()))
    assert answer.status is Status.OK, answer.error
    assert isinstance(answer.response, RankResponse)
    assert answer.response.items == ("c", "d")


def test_async_functions_and_async_objects_are_awaited() -> None:
    async def recommend(user: str, history: list[str], k: int) -> list[str]:
        await asyncio.sleep(0)
        return ["x"]

    class Service:
        async def __call__(self, user: str, history: list[str], k: int) -> list[str]:
            return ["y"]

    assert ask(from_callable(recommend, context())).response == RankResponse(items=("x",))
    model = from_callable(Service, context())
    assert ask(model).response == RankResponse(items=("y",))
    assert isinstance(model, Model)
    assert model.concurrency is None


def test_the_seed_depends_on_request_and_repeat_alone() -> None:
    model = from_callable(lambda user, seed: [seed], context())
    items = [
        ask(model, request, repeat).response for request in (RANK, RankRequest(user="v")) for repeat in (0, 1)
    ]
    assert len(set(items)) == 4
    assert ask(model).response == items[0]
    assert ask(from_callable(lambda user, seed: [seed], context(seed=8))).response != items[0]


def test_the_seed_is_part_of_the_identity_of_a_function_that_takes_one() -> None:
    def identities(function: Any) -> list[Any]:
        return [from_callable(function, context(seed=seed)).identity().get("seed") for seed in (7, 8)]

    assert identities(lambda user, seed: [seed]) == [7, 8]
    assert identities(lambda user, history, k: ["c"]) == [None, None]


def test_a_class_is_constructed_with_its_options_and_fitted_and_its_methods_tell_the_kinds() -> None:
    class Mine:
        def __init__(self, depth: int) -> None:
            self.depth = depth

        def fit(self, training: Any) -> None:
            self.digest = training.digest

        def rank(self, user: str, k: int) -> list[str]:
            return [f"{self.digest}-{self.depth}"] * k

        def rate(self, request: RateRequest) -> list[float]:
            return [3.0 for _ in request.items]

        def chat(self, request: ChatRequest) -> str:
            return request.messages[-1].content.upper()

        def image(self, request: ImageRequest) -> bytes:
            return b"\x89PNG\r\n\x1a\n" + request.prompt.encode()

    training = SimpleNamespace(digest="d1")
    model = from_callable(Mine, context(training=training), options={"depth": 4})
    assert model.kinds == {"rank", "rate", "chat", "image"}
    assert ask(model).response == RankResponse(items=("d1-4", "d1-4"))
    assert ask(model, RateRequest(user="u", items=("a", "b"))).response == RateResponse(ratings=(3.0, 3.0))
    assert ask(model, CHAT).response == ChatResponse(text="HELLO")
    image = ask(model, ImageRequest(prompt="cat"))
    assert image.status is Status.OK
    assert image.response.image.media_type == "image/png"
    assert model.identity()["training"] == "d1"
    with pytest.raises(UsageError, match="has a fit method, but its scenarios have no data"):
        from_callable(Mine, context(), options={"depth": 4})
    with pytest.raises(UsageError, match="takes no option 'dept'; did you mean 'depth'"):
        from_callable(Mine, context(training=training), options={"dept": 4})


def test_chat_functions() -> None:
    model = from_callable(lambda request: "hi", context(), kinds=["chat"])
    assert ask(model, CHAT).response == ChatResponse(text="hi")
    long = from_callable(
        lambda request: ChatResponse(text="cut", finish_reason="length"), context(), kinds=["chat"]
    )
    assert ask(long, CHAT).status is Status.TRUNCATED
    plain = from_callable(lambda messages: f"{messages}", context(), kinds=["chat"])
    assert ask(plain, CHAT).response == ChatResponse(text="[{'role': 'user', 'content': 'hello'}]")
    wrong = ask(from_callable(lambda request: 3, context(), kinds=["chat"]), CHAT)
    assert (wrong.status, wrong.error, wrong.raw) == (Status.INVALID, "text is an int, not a string", "3")


def test_what_the_model_raises_is_told_with_file_and_line(tmp_path: Path) -> None:
    model = written(
        tmp_path,
        """
        import json

        def recommend(user, history, k):
            return json.loads("{")
        """,
    )
    answer = ask(model)
    assert answer.status is Status.ERROR
    assert str(answer.error).startswith("JSONDecodeError: Expecting property name")
    assert str(answer.error).endswith("(model.py:5)")
    assert ask(from_callable(lambda user, history, k: exit(3), context())).status is Status.ERROR


def test_a_hanging_function_can_be_given_up_and_the_loop_goes_on() -> None:
    release = threading.Event()
    model = from_callable(lambda user, history, k: release.wait(30) and [], context())
    assert isinstance(model, Model)

    async def play() -> float:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await model.answer(RANK, Call())
        return time.monotonic() - began

    assert asyncio.run(play()) < 10
    release.set()


def test_a_model_whose_calls_never_come_back_is_broken() -> None:
    release = threading.Event()
    model = from_callable(lambda user, history, k: release.wait(30) and [], context())
    assert isinstance(model, Model)

    async def play() -> None:
        for _ in range(40):
            task = asyncio.create_task(model.answer(RANK, Call()))
            await asyncio.sleep(0.005)
            if task.done():
                task.result()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(Fatal, match="8 calls of the model timed out and never came back"):
        asyncio.run(play())
    release.set()


def test_a_model_may_report_trouble_in_the_protocols_own_words() -> None:
    def busy(user: str, history: list[str], k: int) -> list[str]:
        raise Transient(Status.RATE_LIMITED, "later", 3.0)

    with pytest.raises(Transient, match="later"):
        ask(from_callable(busy, context()))


class Hostile(list):
    def __iter__(self) -> Any:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda user, history, k: ["a", 1.5], "items[1] is a float; ids are strings or integers"),
        (lambda user, history, k: None, "items is null, not a list"),
        (lambda user, history, k: "abc", "items is a string, not a list"),
        (lambda user, history, k: {"recs": []}, "the answer has no 'items' (its keys: recs)"),
        (lambda user, history, k: [("a", float("nan"))], "scores holds NaN at position 0"),
        (lambda user, history, k: RankResponse(items=(1.5,)), "items[0] is a float"),
        (
            lambda user, history, k: RankResponse(items=("a",), mentions=("A", "B")),
            "mentions holds 2 values for 1 items",
        ),
        (lambda user, history, k: [10**5000], "items[0] is an integer of more than 64 bits"),
        (lambda user, history, k: Hostile(), "the answer cannot be read: RuntimeError: no"),
        (lambda user, history, k: ["x" * (10 * 1024 * 1024)], "items[0] has 10,485,760 characters"),
    ],
)
def test_wrong_returns_have_a_sentence(function: Any, sentence: str) -> None:
    answer = ask(from_callable(function, context()))
    assert answer.status in (Status.INVALID, Status.OVERSIZED)
    assert sentence in str(answer.error)
    assert len(str(answer.raw)) <= 2001


@pytest.mark.parametrize(
    ("source", "settings", "sentence"),
    [
        ("def recommend(a, b): ...", {}, "takes (a, b); to answer rank it must take (user, history, k)"),
        ("def recommend(a, b): ...", {"kinds": ["chat"]}, "to answer chat it must take one parameter"),
        ("recommend = 5", {}, "an object of class int cannot be called"),
        (
            "class recommend:\n    def fit(self, training): 1 / 0\n    def recommend(self, u, h, k): ...",
            {},
            "none of the methods rank, rate, chat, image (it has: fit, recommend); a recommender needs rank(",
        ),
        ("def recomend(u, h, k): ...", {}, "has no 'recommend'; did you mean 'recomend'"),
        ("def recommend(u, h, k): ...", {"options": {"x": 1}}, "takes no option 'x'"),
        ("import nothing_of_this_name", {}, "raised ModuleNotFoundError"),
        (
            "class recommend:\n    def __init__(self):\n        raise RuntimeError('no GPU')",
            {},
            "building 'model.py:recommend' raised RuntimeError: no GPU (model.py:3)",
        ),
    ],
)
def test_what_cannot_be_a_model_is_refused_when_it_is_built(
    tmp_path: Path, source: str, settings: dict, sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        written(tmp_path, source, **settings)
    assert sentence in str(caught.value)


def test_the_identity_changes_with_the_source_and_the_options(tmp_path: Path) -> None:
    source = "def recommend(user, history, k, depth=1): return []"
    first = written(tmp_path, source).identity()
    assert first == written(tmp_path, source).identity()
    assert first != written(tmp_path, source, options={"depth": 2}).identity()
    assert first != written(tmp_path, source + "\n# changed").identity()


def test_live_callables_are_identified_by_their_source_only_when_it_says_all() -> None:
    table = ["a"]
    plain = from_callable(lambda user, history, k: ["a"][:k], context())
    reads = from_callable(lambda user, history, k: table, context())
    assert plain.remark is None
    assert set(plain.identity()) >= {"source"}
    assert "it reads 'table', a list from outside" in reads.remark
    again = from_callable(lambda user, history, k: table, context())
    assert reads.identity() != again.identity()
    stateful = from_callable(SimpleNamespace(rank=lambda user: ["a"]), context())
    assert "the state of a SimpleNamespace object" in stateful.remark


VOCABULARY = Vocabulary([f"i{n}" for n in range(5)])
BATCH = RankBatch(
    users=["u0", "u1", "u2"],
    user_codes=np.arange(3, dtype=np.int32),
    history=Ragged.from_lists([[0], [1], []]),
    k=2,
    items=VOCABULARY,
)


def batched(function: Any) -> RankedBatch:
    return from_callable(function, context(), batch=True).rank(BATCH)


def test_a_batch_function_returns_codes_or_lists_of_ids() -> None:
    codes = batched(lambda batch: np.tile(np.array([1, 2]), (len(batch), 1)))
    assert codes.items.tolist() == [[1, 2]] * 3
    assert codes.status is None
    lists = batched(lambda batch: [["i4", "new"], ["i0"], []])
    assert lists.items.tolist() == [[4, -2], [0, -1], [-1, -1]]
    assert lists.unknown == ["new"]
    assert batched(lambda batch: [[], [], []]).items.tolist() == [[-1]] * 3


@pytest.mark.parametrize(
    ("function", "status", "sentence"),
    [
        (lambda batch: 1 / 0, Status.ERROR, "ZeroDivisionError: division by zero (test_python_model.py:"),
        (
            lambda batch: np.zeros((3, 2)),
            Status.INVALID,
            "items is float64[2 axes]; catalogue codes are int32",
        ),
        (lambda batch: np.zeros((2, 2), int), Status.INVALID, "items holds 2 rows for 3 users"),
        (lambda batch: [["a"]], Status.INVALID, "the answer holds 1 lists for 3 users"),
        (lambda batch: [["a"], [1], []], Status.INVALID, "the lists do not hold ids of one type"),
        (lambda batch: [[1.5], [], []], Status.INVALID, "items are of type double"),
        (lambda batch: [["a"], None, []], Status.INVALID, "a user's list is None"),
        (lambda batch: [["a", None], [], []], Status.INVALID, "a list holds None"),
        (lambda batch: RankedBatch(items=[["a"]] * 3), Status.INVALID, "items is <U1[2 axes]"),
        (
            lambda batch: RankedBatch(items=[[1], [1, 2]]),
            Status.INVALID,
            "the answer cannot be read: ValueError",
        ),
        (lambda batch: "abc", Status.INVALID, "the answer is a str, not a RankedBatch"),
        (
            lambda batch: RankedBatch(items=np.zeros((3, 1), np.int32), scores=np.zeros((3, 2))),
            Status.INVALID,
            "scores is float64[3, 2] beside items[3, 1]",
        ),
    ],
)
def test_a_wrong_batch_is_the_answer_to_every_user(function: Any, status: Status, sentence: str) -> None:
    ranked = batched(function)
    assert {CODES[code] for code in ranked.status} == {status}
    assert all(sentence in ranked.errors[row] for row in range(3)), ranked.errors


def test_only_the_users_with_a_wrong_row_are_invalid() -> None:
    ranked = batched(
        lambda batch: RankedBatch(
            items=np.array([[0, 1], [9, 0], [-1, 2]], np.int32),
            scores=np.array([[1.0, np.nan], [1, 1], [1, 1]]),
        )
    )
    assert [CODES[code] for code in ranked.status] == [Status.INVALID] * 3
    assert ranked.errors == {
        0: "scores holds nan at position 1",
        1: "items[0] is 9; catalogue codes run from 0 to 4",
        2: "items[0] is empty (-1) before the end of the list",
    }
    assert (ranked.items == -1).all()


def test_batch_is_for_rank_alone() -> None:
    with pytest.raises(UsageError, match="batch works for kind rank only"):
        from_callable(lambda request: "hi", context(), batch=True, kinds=["chat"])


def _cancels(user: str, history: list[str], k: int) -> list[str]:
    raise asyncio.CancelledError


async def _cancels_async(user: str, history: list[str], k: int) -> list[str]:
    raise asyncio.CancelledError


def _stops(user: str, history: list[str], k: int) -> list[str]:
    return next(iter([]))


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (_cancels, "RuntimeError: the model raised CancelledError"),
        (_cancels_async, "CancelledError"),
        (_stops, "RuntimeError: the model raised StopIteration"),
    ],
)
def test_what_would_end_our_own_task_is_an_error_of_the_model(model: Any, error: str) -> None:
    built = from_callable(model, BuildContext(name="m", folder=Path(), training=None, seed=1))
    answer = asyncio.run(built.answer(RankRequest(user="u", k=2), Call()))
    assert answer.status is Status.ERROR
    assert answer.error is not None
    assert answer.error.startswith(error)


def test_a_call_that_is_cancelled_from_outside_ends() -> None:
    async def slow(user: str, history: list[str], k: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    async def scene() -> None:
        built = from_callable(slow, BuildContext(name="m", folder=Path(), training=None, seed=1))
        async with asyncio.timeout(0.01):
            await built.answer(RankRequest(user="u", k=2), Call())

    with pytest.raises(TimeoutError):
        asyncio.run(scene())
