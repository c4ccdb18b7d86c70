"""Programs as models: real child processes, well-behaved and not."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.models.process import ProcessModel, ProcessSpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.model import Call, Fatal, Transient
from genrec_eval.protocol.requests import ChatRequest, Message, RankRequest, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, RankResponse
from genrec_eval.protocol.status import Status

RANK = RankRequest(user="u1", history=("a",), k=2)
LOOP = """
import json, os, sys, time
for line in sys.stdin:
    message = json.loads(line)
    request, number = message["request"], message["id"]
    def say(**fields):
        print(json.dumps({"id": number, **fields}), flush=True)
"""


def context(folder: Path) -> BuildContext:
    return BuildContext(name="program", folder=folder, training=None, seed=1)


def build(folder: Path, body: str, **settings: Any) -> ProcessModel:
    """A Python child that runs ``body`` for each request."""
    (folder / "child.py").write_text(LOOP + textwrap.indent(textwrap.dedent(body), "    "))
    command = [sys.executable, "-S", "-E", "child.py"]
    spec = ProcessSpec.model_validate({"command": command, **settings})
    return spec.build(context(folder))


def play(model: ProcessModel, action: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def scene() -> Any:
        await model.open()
        try:
            return await asyncio.wait_for(action(), 60)
        finally:
            await model.close()

    return asyncio.run(scene())


def ask(model: ProcessModel, *requests: Request) -> list[Answer]:
    async def action() -> list[Answer]:
        return [await model.answer(request, Call()) for request in requests or (RANK,)]

    return play(model, action)


def test_a_program_answers_in_its_folder_with_one_process(tmp_path: Path) -> None:
    model = build(tmp_path, "say(items=[request['user'], os.getpid(), os.path.basename(os.getcwd())])")
    first, second = ask(model, RANK, RankRequest(user="u2"))
    assert isinstance(first.response, RankResponse)
    assert isinstance(second.response, RankResponse)
    assert (first.response.items[0], second.response.items[0]) == ("u1", "u2")
    assert first.response.items[1:] == second.response.items[1:]
    assert first.response.items[2] == tmp_path.name
    assert first.first is not None


def test_a_program_in_another_language(tmp_path: Path) -> None:
    program = """
    while read -r line; do
        id=${line#*:}
        echo "{\\"id\\":${id%%,*},\\"items\\":[\\"x\\",\\"y\\"]}"
    done
    """
    (tmp_path / "model.sh").write_text(program)
    model = ProcessSpec(command=("sh", "model.sh")).build(context(tmp_path))
    assert [a.response for a in ask(model, RANK, RANK)] == [RankResponse(items=("x", "y"))] * 2
    assert set(model.identity()["files"]) == {"model.sh"}


def test_chat_and_errors(tmp_path: Path) -> None:
    model = build(
        tmp_path,
        """
        if request["kind"] == "chat":
            say(text=request["messages"][-1]["content"].upper(), usage={"output_tokens": 3})
        else:
            say(error="no such user: " + request["user"])
        """,
        kinds=["rank", "chat"],
    )
    chat, failed = ask(model, ChatRequest(messages=(Message("user", "hé"),)), RANK)
    assert (chat.response, chat.usage.output_tokens) == (ChatResponse(text="HÉ"), 3)
    assert (failed.status, failed.error) == (Status.ERROR, "the model says: no such user: u1")


def test_workers_answer_side_by_side(tmp_path: Path) -> None:
    # Each process waits for the other's mark: only two at once can ever answer.
    model = build(
        tmp_path,
        """
        open("mark-" + request["user"], "w").close()
        other = {"a": "mark-b", "b": "mark-a"}[request["user"]]
        while not os.path.exists(other):
            time.sleep(0.01)
        say(items=[request["user"]])
        """,
        workers=2,
    )
    assert model.concurrency == 2

    async def both() -> list[Answer]:
        return await asyncio.gather(*(model.answer(RankRequest(user=u), Call()) for u in "ab"))

    answers = play(model, both)
    assert [a.response for a in answers] == [RankResponse(items=("a",)), RankResponse(items=("b",))]


def test_a_process_that_dies_is_restarted_and_its_last_words_are_told(tmp_path: Path) -> None:
    model = build(
        tmp_path,
        """
        if request["user"] == "poison":
            print("noise " * 50_000 + "out of memory", file=sys.stderr, flush=True)
            sys.exit(3)
        say(items=["fine"])
        """,
    )

    async def action() -> list[Any]:
        results = []
        for user in ("a", "poison", "b"):
            try:
                results.append((await model.answer(RankRequest(user=user), Call())).response)
            except Transient as error:
                results.append(error)
        return results

    before, death, after = play(model, action)
    assert before == after == RankResponse(items=("fine",))
    assert death.status is Status.UNAVAILABLE
    assert "exited with code 3; its last words: …" in str(death)
    assert str(death).endswith("noise out of memory")


def test_a_process_killed_from_outside(tmp_path: Path) -> None:
    model = build(tmp_path, "os.kill(os.getpid(), 9)")
    with pytest.raises(Transient, match="was killed by SIGKILL"):
        ask(model)


def test_a_program_that_only_dies_is_given_up(tmp_path: Path) -> None:
    model = build(tmp_path, "sys.exit(7)", max_deaths=3)

    async def action() -> None:
        for _ in range(3):
            with pytest.raises(Transient):
                await model.answer(RANK, Call())

    with pytest.raises(Fatal, match=r"exited with code 7; that was death 3 in a row without an answer"):
        play(model, action)


def test_a_slow_answer_is_never_taken_for_the_next_one(tmp_path: Path) -> None:
    model = build(
        tmp_path,
        """
        if request["user"] == "slow":
            time.sleep(0.3)
        say(items=[request["user"]])
        """,
    )

    async def action() -> Answer:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.answer(RankRequest(user="slow"), Call()), 0.1)
        await asyncio.sleep(0.4)
        return await model.answer(RankRequest(user="quick"), Call())

    assert play(model, action).response == RankResponse(items=("quick",))


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("print('Loading…', flush=True)", Status.INVALID, "wrote a line that is not JSON: 'Loading…'"),
        ("number += 1; say(items=[])", Status.INVALID, "answered id 2 to the question with id 1"),
        ("print('[1]', flush=True)", Status.INVALID, "answered id None to the question with id 1"),
        ("say(items=[1.5])", Status.INVALID, "items[0] is a float; ids are strings or integers"),
        ("say(items=['a'], scores=[float('nan')])", Status.INVALID, "scores holds NaN at position 0"),
        ("say(item=[])", Status.INVALID, "the answer has no 'items' (its keys: id, item)"),
        ("say(items=['x' * 300_000])", Status.OVERSIZED, "larger than 100,000 bytes (max_bytes)"),
    ],
)
def test_what_is_not_an_answer_has_a_sentence_and_the_program_goes_on(
    tmp_path: Path, body: str, status: Status, sentence: str
) -> None:
    source = f"if request['user'] == 'ok':\n    say(items=['fine'])\nelse:\n    {body}"
    model = build(tmp_path, source, max_bytes=100_000)
    wrong, right = ask(model, RANK, RankRequest(user="ok"))
    assert wrong.status is status
    assert sentence in str(wrong.error)
    assert right.response == RankResponse(items=("fine",))


def test_a_line_too_many_spoils_one_answer_not_all(tmp_path: Path) -> None:
    model = build(tmp_path, "say(items=[request['user']]); say(items=['again'])")
    answers = ask(model, *(RankRequest(user=u) for u in "abc"))
    assert [a.status for a in answers] == [Status.OK, Status.INVALID, Status.OK]
    assert "answered id 1 to the question with id 2" in str(answers[1].error)


def test_processes_end_with_the_model_even_when_they_do_not_want_to(tmp_path: Path) -> None:
    body = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(items=[os.getpid()])
    """
    (answer,) = ask(build(tmp_path, body))
    assert isinstance(answer.response, RankResponse)
    assert not _alive(int(answer.response.items[0]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_processes_die_when_the_evaluation_is_killed(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(LOOP + "    say(items=[os.getpid()])\n    while True: time.sleep(1)\n")
    (tmp_path / "parent.py").write_text(
        textwrap.dedent(f"""
        import asyncio, pathlib
        from genrec_eval.models.process import ProcessSpec
        from genrec_eval.models.spec import BuildContext
        from genrec_eval.protocol.model import Call
        from genrec_eval.protocol.requests import RankRequest

        async def main():
            spec = ProcessSpec(command=({sys.executable!r}, "-S", "-E", "child.py"))
            model = spec.build(BuildContext(name="x", folder=pathlib.Path("."), training=None, seed=1))
            await model.open()
            answer = await model.answer(RankRequest(user="u"), Call())
            print(answer.response.items[0], flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """)
    )
    parent = subprocess.Popen([sys.executable, "parent.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _alive(child)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    parent.stdout.close()
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_program_that_is_not_there_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="model 'program': command not found: 'no-such-program-x'"):
        ProcessSpec(command=("no-such-program-x",)).build(context(tmp_path))
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    with pytest.raises(UsageError, match=r"run\.sh may not be executed; chmod \+x"):
        ProcessSpec(command=("./run.sh",)).build(context(tmp_path))
    with pytest.raises(UsageError, match=r"command not found: '\./rum\.sh'; did you mean 'run\.sh'"):
        ProcessSpec(command=("./rum.sh",)).build(context(tmp_path))


def test_a_program_that_cannot_run_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("#!/no/such/interpreter\n")
    (tmp_path / "run.sh").chmod(0o755)
    with pytest.raises(Transient, match="cannot be started: "):
        ask(ProcessSpec(command=("./run.sh",)).build(context(tmp_path)))


def test_the_identity_changes_with_the_program_text_and_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENREC_TEST_KEY", "a-secret-value")
    settings = {"env": {"KEY": "${env:GENREC_TEST_KEY}"}}
    first = build(tmp_path, "say(items=[os.environ['KEY'][:1]])", **settings)
    assert ask(first)[0].response == RankResponse(items=("a",))
    assert "a-secret-value" not in str(first.identity())
    assert build(tmp_path, "say(items=[])", **settings).identity() != first.identity()


def test_an_id_nested_as_deep_as_json_goes_is_the_wrong_id(tmp_path: Path) -> None:
    model = build(tmp_path, "print('{\"id\": ' + '[' * 1000 + ']' * 1000 + '}', flush=True)")
    (answer,) = ask(model, RANK)
    assert answer.status is Status.INVALID
    assert answer.error == "the process answered id that is no number to the question with id 1"


def test_a_program_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    model = build(tmp_path, "while True: os.write(1, b'x' * 65536)", max_bytes=100_000)
    first, second = ask(model, RANK, RANK)
    assert first.status is second.status is Status.OVERSIZED


def test_a_grandchild_that_holds_the_pipe_holds_nobody_up(tmp_path: Path) -> None:
    body = """
    import subprocess
    subprocess.Popen(["sleep", "6"], start_new_session=True)
    say(items=[1.5])
    """
    model = build(tmp_path, body)
    assert ask(model, RANK)[0].status is Status.INVALID
