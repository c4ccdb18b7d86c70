"""Multi-step cases and image payloads through engine, journal and records."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from models_for_tests import Conversation, Scripted, exchanger, rows, talk_and_draw

from genrec_eval.core.errors import UsageError
from genrec_eval.engine.budget import Budget
from genrec_eval.engine.play_async import play_cases
from genrec_eval.engine.progress import Progress
from genrec_eval.engine.records import RecordWriter, parts
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.engine.summary import cover, usage
from genrec_eval.protocol.model import Call
from genrec_eval.protocol.requests import ImageRequest, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status
from genrec_eval.protocol.tables import RECORDS
from genrec_eval.scenarios.base import Ask, Case, Prepared


def play(
    folder: Path,
    model: Scripted,
    repeats: int = 1,
    budget: Budget | None = None,
    scenario: type[Conversation] = Conversation,
) -> tuple[Any, pa.Table]:
    played = scenario(None, seed=0)
    prepared = played.prepare(None)
    (folder / "records").mkdir(exist_ok=True)
    writer = RecordWriter(folder / "records", "talker", "conversation")
    desk = exchanger(folder, model, budget=budget)
    with Progress(None) as progress:
        task = progress.task("test", len(prepared.cases) * repeats)
        stopped = asyncio.run(play_cases(played, prepared, rows(prepared), desk, None, writer, repeats, task))
    found = [pq.read_table(path) for path in parts(folder / "records", "talker", "conversation")]
    table = pa.concat_tables(found) if found else RECORDS.empty_table()
    return stopped, table.sort_by([("case", "ascending"), ("repeat", "ascending"), ("step", "ascending")])


def test_a_dialogue_of_three_turns_and_an_image_is_recorded_step_by_step(tmp_path: Path) -> None:
    stopped, table = play(tmp_path, Scripted(talk_and_draw))
    assert stopped is None
    assert table.schema.equals(RECORDS, check_metadata=False)
    first = table.filter(pa.compute.equal(table["case"], "dialogue-0")).to_pylist()
    assert [row["step"] for row in first] == [0, 1, 2, 3]
    assert first[0]["text"] in first[1]["request"]  # the second question quotes the first answer
    assert (tmp_path / "blobs" / first[3]["blob"]).read_bytes() == b"\x89PNGa poster for dialogue-0"
    assert all(row["intended"] <= row["sent"] <= row["end"] for row in first)


def test_interrupted_dialogues_resume_in_the_middle_without_repeating_a_turn(tmp_path: Path) -> None:
    whole, _ = Scripted(talk_and_draw), None
    _, expected = play(tmp_path, whole)
    other = tmp_path / "other"
    other.mkdir()
    model = Scripted(talk_and_draw)
    stopped, partial = play(other, model, budget=Budget(calls=21))
    assert "budget of 21 calls reached" in stopped
    recorded = partial.group_by("case").aggregate([("step", "count")])["step_count"].to_pylist()
    assert set(recorded) <= {4}  # half a dialogue would look like one that ended early
    assert len(exchanger(other, model).journal) == 21  # but its turns are kept
    stopped, table = play(other, model)
    assert stopped is None
    for column in ("case", "step", "status", "text", "request", "response", "blob", "key"):
        assert table[column].to_pylist() == expected[column].to_pylist()
    assert max(model.asked.values()) == 1
    assert sum(table["cached"].to_pylist()) == 21


def test_repeats_of_a_dialogue_are_samples_of_their_own(tmp_path: Path) -> None:
    model = Scripted(talk_and_draw)
    _, table = play(tmp_path, model, repeats=2)
    assert len(table) == 12 * 2 * 4
    texts = {(row["repeat"], row["text"]) for row in table.to_pylist() if row["step"] == 0}
    assert {text[-2:] for _, text in texts} == {".0", ".1"}
    assert not any(table["cached"].to_pylist())


def test_answers_of_the_journal_are_recorded_though_the_budget_is_spent(tmp_path: Path) -> None:
    model = Scripted(talk_and_draw)
    _, whole = play(tmp_path, model)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:  # the first dialogue was never finished
        db.execute("DELETE FROM exchanges WHERE CAST(request AS TEXT) LIKE '%poster for dialogue-0\"%'")
    stopped, table = play(tmp_path, model, budget=Budget(calls=0))
    assert "budget of 0 calls reached" in stopped
    assert len(table) == len(whole) - 4


def test_a_fault_of_the_scenario_names_scenario_and_case(tmp_path: Path) -> None:
    class Broken(Conversation):
        async def play(self, prepared: Prepared, case: Case, ask: Ask) -> None:
            answer = await ask(self.request(prepared, case))
            if case.id == "dialogue-7":
                answer.response.items  # type: ignore[union-attr]  # noqa: B018

    with pytest.raises(ExceptionGroup) as caught:
        play(tmp_path, Scripted(talk_and_draw), scenario=Broken)
    assert isinstance(caught.value.exceptions[0], UsageError)
    assert re.search(
        r"scenario 'conversation' cannot play case 'dialogue-7' with 'talker': AttributeError: .*items",
        str(caught.value.exceptions[0]),
    )


def test_a_scenario_that_swallows_the_stop_records_no_half_cases(tmp_path: Path) -> None:
    class Stubborn(Conversation):
        async def play(self, prepared: Prepared, case: Case, ask: Ask) -> None:
            with contextlib.suppress(Exception):
                await super().play(prepared, case, ask)

    stopped, table = play(tmp_path, Scripted(talk_and_draw), budget=Budget(calls=6), scenario=Stubborn)
    assert "budget of 6 calls" in stopped
    assert len(table) % 4 == 0


def test_a_case_is_answered_when_all_its_steps_are(tmp_path: Path) -> None:
    def no_pictures(request: Request, call: Call, times: int) -> Answer:
        if isinstance(request, ImageRequest) and request.prompt.endswith(("-1", "-2")):
            return Answer(status=Status.ERROR, error="no ink")
        return talk_and_draw(request, call, times)

    directory = RunDirectory.create(tmp_path)
    play(tmp_path, Scripted(no_pictures))
    covered = cover(directory, "talker", "conversation", 12, None)
    assert (covered.state, covered.attempted, covered.answered) == ("run", 12, 10)
    assert covered.statuses == {"error": 2, "ok": 46}
    used = usage(directory, "talker", "conversation")
    assert (used["calls"], used["attempts"], used["cached"], used["cost"]) == (48, 48, 0, None)
    assert 0 < used["latency"]["p50"] <= used["latency"]["p99"] <= used["seconds"]
