"""Writers and judges over HTTP: word for word what they say in process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from genrec_eval.cli.serve import _snippet
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Training
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.judging.dialect import load_dialect
from genrec_eval.judging.rubric import load_rubric
from genrec_eval.judging.types import JudgeTask
from genrec_eval.models.openai import OpenAISpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem
from genrec_eval.protocol.model import Call
from genrec_eval.protocol.requests import ChatRequest, Message
from genrec_eval.reference.base import REFERENCE
from genrec_eval.serving.app import create_app
from genrec_eval.serving.catalogue import train_on
from genrec_eval.serving.run import Served, serve_in_thread

CHAT = [name for name in REFERENCE.names() if "chat" in REFERENCE.get(name).kinds]
WRITERS = [name for name in CHAT if not name.endswith("-judge")]
JUDGES = [name for name in CHAT if name.endswith("-judge")]

BRIEF = Brief(
    task="explain",
    item=ItemFacts(id="i1", title="Heat; Again", year=1995, genres=("Crime",), people={"director": ("A B",)}),
    user="u1",
    history=(
        SeenItem(item=ItemFacts(id="i2", title="Ronin", genres=("Crime",)), rating=4.0, liked=("acting",)),
    ),
    reviews=(ReviewFacts(id="r", text="The acting is superb.", author="Lee Carver", positive=("acting",)),),
    profile={"age": "25-34"},
    aspects=("acting",),
)  # fmt: skip


@pytest.fixture(scope="module")
def training() -> Training:
    return train_on(SyntheticSpec(users=120, items=60, interactions_per_user=10, reviews=0.5).load(Path(), 1))


@pytest.fixture(scope="module")
def both(training: Training) -> Iterator[Served]:
    with serve_in_thread(training, ["popularity", *CHAT], seed=5) as served:
        yield served


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def ask(served: Served, name: str, text: str, repeat: int = 0, **decoding: object) -> str:
    """Through the adapter that a suite would use."""
    raw = {
        "adapter": "openai",
        "model": name,
        "base_url": f"{served.url}/v1",
        "decoding": decoding,
    }
    model = OpenAISpec.model_validate(raw).build(BuildContext(name="m", folder=Path(), training=None, seed=0))

    async def once() -> str:
        await model.open()
        try:
            answer = await model.answer(ChatRequest(messages=(Message("user", text),)), Call(repeat=repeat))
        finally:
            await model.close()
        assert answer.response is not None, answer.error
        return answer.response.text

    return asyncio.run(once())


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_says_over_http_what_it_says_in_process(name: str, both: Served, training: Training) -> None:
    model = REFERENCE.get(name)(training, seed=5)
    assert ask(both, name, BRIEF.text()) == model.reply(BRIEF.text()).text
    # the seed of a request counts repeats, as it does for a model that draws
    assert ask(both, name, BRIEF.text(), repeat=3, seed=0) == model.reply(BRIEF.text(), 3).text


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_says_over_http_what_it_says_in_process(name: str, both: Served) -> None:
    task = JudgeTask(
        id="t", kind="pairwise", rubric=load_rubric("helpfulness", Path()), prompt="Why?",
        answers=("It is good.", "You gave Ronin a 4, and Heat; Again is a crime film too."),
        context=BRIEF.text(None),
    )  # fmt: skip
    dialect = load_dialect("json", Path())
    prompt = dialect.render(task).request.messages[-1].content
    assert ask(both, name, prompt) == REFERENCE.get(name)(seed=5).reply(prompt).text
    if name == "rubric-judge":
        model = REFERENCE.get(name)()
        assert dialect.parse(model.reply(prompt), task).winner == "second"


def test_a_message_that_a_model_cannot_read_is_a_bad_request(both: Served) -> None:
    with openai.OpenAI(base_url=f"{both.url}/v1", api_key="k", max_retries=0) as client:
        for name, said in (("template-writer", "holds no brief"), ("rubric-judge", "dialect 'json' alone")):
            with pytest.raises(openai.BadRequestError, match=said):
                client.chat.completions.create(model=name, messages=[{"role": "user", "content": "Hi"}])


def test_recommenders_beside_writers_still_rank(both: Served) -> None:
    import httpx2

    answer = httpx2.post(f"{both.url}/rank", json={"user": "u1", "history": [], "k": 3}).json()
    assert len(answer["items"]) == 3
    listed = httpx2.get(f"{both.url}/v1/models").json()["data"]
    assert {"popularity", "echo", *CHAT} <= {one["id"] for one in listed}


def test_without_data_those_are_served_that_need_none() -> None:
    import httpx2

    with serve_in_thread(None, ["popularity", "template-writer", "rubric-judge", "ngram-writer"]) as served:
        listed = {one["id"] for one in httpx2.get(f"{served.url}/v1/models").json()["data"]}
        assert listed == {"template-writer", "rubric-judge", "echo", "pixels"}
        assert ask(served, "template-writer", BRIEF.text())
        assert httpx2.post(f"{served.url}/rank", json={}).status_code == 404
    with pytest.raises(
        UsageError, match="unknown reference model 'rubrik-judge'; did you mean 'rubric-judge'"
    ):
        create_app(None, ["rubrik-judge"])


def test_the_snippet_gives_a_recommender_block_to_recommenders_alone() -> None:
    assert "recommender: {}" in _snippet("popularity", "http://x", None)
    assert "recommender" not in _snippet("rubric-judge", "http://x", None)
