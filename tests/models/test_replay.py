"""Recorded answers in every format, and files that are not what they should be."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.models.replay import ReplaySpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.arrays import Ragged, Vocabulary
from genrec_eval.protocol.batch import RankBatch, RankedBatch
from genrec_eval.protocol.model import Call
from genrec_eval.protocol.requests import ChatRequest, Message
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import CODES, Status

ITEMS = Vocabulary([f"i{n}" for n in range(10)])
LISTS = {"u0": ["i1", "i2"], "u1": ["i3", "new", "i3"], "u2": []}


def build(folder: Path, name: str, **options: Any) -> Any:
    spec = ReplaySpec.model_validate({"adapter": "replay", "path": name, **options})
    return spec.build(BuildContext(name="recorded", folder=folder, training=None, seed=1))


def asked(users: list[str], k: int = 3, items: Vocabulary = ITEMS) -> RankBatch:
    return RankBatch(
        users=pa.array(users, pa.string()),
        user_codes=np.zeros(len(users), np.int32),
        history=Ragged.from_lists([[] for _ in users]),
        k=k,
        items=items,
    )


def shown(ranked: RankedBatch, items: Vocabulary = ITEMS) -> list[list[str]]:
    """The lists as ids again."""
    names = items.strings
    return [
        [names[c] if c >= 0 else ranked.unknown[-2 - c] for c in row if c != -1]
        for row in ranked.items.tolist()
    ]


def statuses(ranked: RankedBatch) -> list[Status]:
    return [] if ranked.status is None else [CODES[code] for code in ranked.status]


def parquet(folder: Path, columns: dict[str, Any], **options: Any) -> str:
    pq.write_table(pa.table(columns), folder / "run.parquet", **options)
    return "run.parquet"


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return name


def in_format(folder: Path, form: str) -> str:
    long = [(user, item, rank) for user, row in LISTS.items() for rank, item in enumerate(row, 1)]
    if form == "parquet":
        return parquet(folder, {"user": list(LISTS), "items": list(LISTS.values())})
    if form == "parquet dictionary":
        items = pa.array(list(LISTS.values())).cast(pa.list_(pa.dictionary(pa.int32(), pa.string())))
        return parquet(folder, {"user": pa.array(list(LISTS)).dictionary_encode(), "items": items})
    if form == "parquet large":
        lists = pa.array(list(LISTS.values()), pa.large_list(pa.large_string()))
        return parquet(folder, {"user": list(LISTS), "items": lists})
    if form == "parquet long":
        user, item, rank = zip(*reversed(long), strict=True)
        return parquet(folder, {"user": user, "item": item, "rank": rank})
    if form == "csv long":
        lines = [f"{user},{item},{rank}" for user, item, rank in reversed(long)]
        return written(folder, "run.csv", "\n".join(["user,item,rank", *lines]))
    if form == "csv":
        return written(
            folder, "run.csv", "\n".join(["user,items", *(f"{u},{' '.join(r)}" for u, r in LISTS.items())])
        )
    if form == "tsv":
        return written(
            folder, "run.tsv", "\n".join(["user\titem", *(f"{user}\t{item}" for user, item, _ in long)])
        )
    if form == "jsonl":
        lines = [json.dumps({"user": u, "items": r}) for u, r in LISTS.items()]
        return written(folder, "run.jsonl", "\n".join(lines))
    lines = [f"{user} Q0  {item}\t{rank} {10 - rank} mine " for user, item, rank in reversed(long)]
    return written(folder, "run.trec", "\r\n".join(lines))


@pytest.mark.parametrize(
    "form",
    [
        "parquet",
        "parquet dictionary",
        "parquet large",
        "parquet long",
        "csv",
        "csv long",
        "tsv",
        "jsonl",
        "trec",
    ],
)
def test_every_format_gives_the_same_lists(tmp_path: Path, form: str) -> None:
    model = build(tmp_path, in_format(tmp_path, form))
    users = ["u1", "nobody", "u0"]
    ranked = model.rank(asked(users))
    assert shown(ranked) == [["i3", "new", "i3"], [], ["i1", "i2"]]
    assert statuses(ranked) == [Status.OK, Status.MISSING, Status.OK]
    order = model.arrange(pa.array(users))
    assert order[-1] == 1
    arranged = [users[position] for position in order]
    again = model.rank(asked(arranged))
    assert shown(again) == [LISTS.get(user, []) for user in arranged]
    if "u2" in model._store.users.to_pylist():  # a list of no items is an answer where it can be written
        assert statuses(model.rank(asked(["u2"]))) == []


def test_facts_count_what_was_missing_left_and_cut(tmp_path: Path) -> None:
    model = build(tmp_path, in_format(tmp_path, "jsonl"))
    users = pa.array(["u1", "nobody"])
    users = users.take(pa.array(model.arrange(users)))
    ranked = model.rank(asked(users.to_pylist(), k=2))
    assert shown(ranked) == [["i3", "new"], []]
    assert model.facts() == {
        "recorded users": 3,
        "users without a record": 1,
        "records never asked for": 2,
        "questions answered by another's list": 0,
        "lists cut to k": 1,
    }


def test_integer_ids_become_strings(tmp_path: Path) -> None:
    name = parquet(tmp_path, {"uid": [7, 8], "recs": [[1, 3], [99]]})
    model = build(tmp_path, name, columns={"user": "uid", "items": "recs"})
    items = Vocabulary(["1", "2", "3"])
    ranked = model.rank(asked(["8", "7"], items=items))
    assert shown(ranked, items) == [["99"], ["1", "3"]]


def test_csv_ids_keep_their_leading_zeros(tmp_path: Path) -> None:
    name = written(tmp_path, "run.csv", "user,item\n007,01\n7,1\n")
    assert shown(build(tmp_path, name).rank(asked(["007", "7"]))) == [["01"], ["1"]]


def test_trec_order_is_by_score_then_rank_then_line(tmp_path: Path) -> None:
    lines = ["u Q0 i1 3 5.0 t", "u Q0 i2 1 5.0 t", "u Q0 i3 9 7.0 t", "u Q0 i4 3 5.0 t"]
    ranked = build(tmp_path, written(tmp_path, "a.run", "\n".join(lines))).rank(asked(["u"], k=9))
    assert shown(ranked) == [["i3", "i2", "i1", "i4"]]
    assert ranked.scores is not None
    assert ranked.scores.tolist() == [[7, 5, 5, 5]]


def test_scores_travel_with_their_items(tmp_path: Path) -> None:
    name = parquet(
        tmp_path, {"user": ["a", "b"], "items": [["i1", "i2"], ["i3"]], "scores": [[2.0, 1.0], [5.0]]}
    )
    ranked = build(tmp_path, name).rank(asked(["b", "a"]))
    assert ranked.scores is not None
    assert ranked.scores.tolist() == [[5, 0], [2, 1]]


def test_a_user_with_a_broken_list_is_invalid_alone(tmp_path: Path) -> None:
    nan = float("nan")
    name = parquet(
        tmp_path,
        {
            "user": ["fine", "nan", "short", "null item", "null list", "long"],
            "items": [["i1"], ["i1", "i2"], ["i1", "i2"], ["i1", None], None, ["x" * 1001]],
            "scores": [[1.0], [1.0, nan], [1.0], [2.0, 1.0], None, [1.0]],
        },
    )
    model = build(tmp_path, name)
    ranked = model.rank(asked(["long", "null list", "null item", "short", "nan", "fine"]))
    assert statuses(ranked) == [Status.OVERSIZED, *[Status.INVALID] * 4, Status.OK]
    assert ranked.errors == {
        0: "an id has 1,001 characters; an id may have 1,000",
        1: "the recorded list is null",
        2: "items[1] is null; ids are strings or integers",
        3: "scores holds 1 values for 2 items",
        4: "scores holds nan at position 1",
    }
    assert shown(ranked)[-1] == ["i1"]


def test_a_broken_line_of_jsonl_is_that_users_answer(tmp_path: Path) -> None:
    lines = [
        '{"user": "a", "items": ["i1", 1.5]}',
        '{"user": "b", "item": []}',
        '{"user": "c", "items": ["i2"]}',
    ]
    ranked = build(tmp_path, written(tmp_path, "a.jsonl", "\n".join(lines))).rank(asked(["a", "b", "c"]))
    assert ranked.errors == {
        0: "items[1] is a float; ids are strings or integers",
        1: "the line has no 'items'; did you mean 'item'?",
    }
    assert shown(ranked)[2] == ["i2"]


def test_an_empty_id_in_a_csv_is_no_id(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", "user,item,score\na,i1,2\na,,1\nb,i2,nan\n")
    ranked = build(tmp_path, name).rank(asked(["a", "b"]))
    assert ranked.errors == {0: "row 2 has no item", 1: "scores holds nan at position 0"}


@pytest.mark.parametrize(
    ("name", "text", "options", "sentence"),
    [
        ("a.csv", "user,item\n", {"path": "b.csv"}, "no file of recorded answers at"),
        ("a.dat", "", {}, "cannot be told by its suffix '.dat'; add format"),
        ("a.csv", "uid,item\nx,y\n", {}, "has no column 'user'"),
        ("a.csv", "user,itms\nx,y\n", {}, "has no column 'items'; did you mean 'itms'?"),
        ("a.csv", "user,item\nx,y\n", {"columns": {"score": "s"}}, "has no column 's'"),
        (
            "a.csv",
            "user,item\nx,y,z\n",
            {},
            "is not a readable csv file: CSV parse error: Expected 2 columns",
        ),
        ("a.csv", "user,item,score\nx,y,high\n", {}, "'high' is not a number"),
        ("a.csv", "user,items\nx,i1\ny,i2\nx,i3\n", {}, "user 'x' is recorded twice, in rows 1 and 3"),
        ("a.csv", "user,item\n,y\n", {}, "row 1 has no user"),
        ("a.csv", "", {}, "is not a readable csv file"),
        ("a.parquet", "no parquet", {}, "is not a readable parquet file"),
        ("a.jsonl", '{"user": "a", "items": []}\n{"user"', {}, "a.jsonl:2: the line is not JSON"),
        ("a.jsonl", "[1]", {}, "a.jsonl:1: the line is not a JSON object"),
        (
            "a.jsonl",
            '{"usr": "a", "items": []}',
            {},
            "no string or integer under 'user'; did you mean 'usr'?",
        ),
        ("a.jsonl", '{"user": 1, "items": []}\n{"user": "1", "items": []}', {}, "the second time in line 2"),
        ("a.run", "u Q0 i 1 2\n", {}, "is not a TREC run"),
        ("a.run", "u Q0 i one 2 t\n", {}, "is not a TREC run"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, text: str, options: dict, sentence: str
) -> None:
    written(tmp_path, name, text)
    with pytest.raises(UsageError) as caught:
        build(tmp_path, options.pop("path", name), **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"user": ["a", "b", "a"], "items": [["x"]] * 3}, "user 'a' is recorded twice, in rows 1 and 3"),
        ({"user": ["a", None], "items": [["x"]] * 2}, "row 2 has no user"),
        ({"user": [1.5], "items": [["x"]]}, "column 'user' is of type double; ids are strings or integers"),
        ({"user": ["a"], "items": [[1.5]]}, "column 'items' is of type list<element: double>; lists of ids"),
        ({"user": ["a"], "items": ["x"]}, "column 'items' is of type string, not of lists"),
        (
            {"user": ["a"], "items": [["x"]], "scores": [["y"]]},
            "column 'scores' is of type list<element: string>",
        ),
        ({"user": ["a"], "list": [["x"]]}, "has no column 'items'"),
        (
            {"case": ["a"], "unit": ["a"], "items": [["x"]]},
            "holds records of a run; say columns: {user: case} to replay them",
        ),
    ],
)
def test_a_parquet_file_with_wrong_columns_is_refused(tmp_path: Path, columns: dict, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(tmp_path, parquet(tmp_path, columns))
    assert sentence in str(caught.value)


def test_a_parquet_file_cut_short_is_damaged_not_a_traceback(tmp_path: Path) -> None:
    name = parquet(
        tmp_path, {"user": [str(n) for n in range(5000)], "items": [[f"i{n}"] for n in range(5000)]}
    )
    data = bytearray((tmp_path / name).read_bytes())
    data[20_000:40_000] = bytes(20_000)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=r"run\.parquet"):
        build(tmp_path, name).rank(asked([str(n) for n in range(5000)]))


def test_the_identity_is_the_content(tmp_path: Path) -> None:
    first = build(tmp_path, in_format(tmp_path, "jsonl")).identity()
    assert first == build(tmp_path, "run.jsonl").identity()
    (tmp_path / "run.jsonl").write_text('{"user": "u0", "items": []}')
    assert first != build(tmp_path, "run.jsonl").identity()


@pytest.mark.parametrize("distinct", [50, 300_000])
def test_large_files_are_streamed_over_row_groups_in_any_order(tmp_path: Path, distinct: int) -> None:
    # With 300,000 distinct ids the dictionary of the file overflows and arrow must decode strings.
    n = 30_000
    rng = np.random.default_rng(0)
    codes = rng.integers(0, distinct, (n, 10)).astype(np.int32)
    names = pa.array([f"item number {i}" for i in range(distinct)])
    lists = pa.ListArray.from_arrays(
        np.arange(0, n * 10 + 1, 10, dtype=np.int32), names.take(pa.array(codes.ravel()))
    )
    users = [f"u{n}" for n in rng.permutation(n)]
    name = parquet(tmp_path, {"user": users, "items": lists}, row_group_size=13_000)
    model = build(tmp_path, name)
    vocabulary = Vocabulary(names)
    wanted = pa.array(users).take(pa.array(rng.permutation(n)[:20_000]))
    wanted = wanted.take(pa.array(model.arrange(wanted)))
    row_of = {user: row for row, user in enumerate(users)}
    for start in [*range(0, 20_000, 6000), 3, 12_000]:  # in order, then back, as a resumed run might
        part = wanted.slice(start, 6000).to_pylist()
        ranked = model.rank(asked(part, k=10, items=vocabulary))
        assert (ranked.items == codes[[row_of[user] for user in part]]).all()
    assert model.facts()["records never asked for"] == 10_000


ids = st.text(min_size=1, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.dictionaries(ids, st.lists(ids, max_size=6), min_size=1, max_size=8),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_parquet_gives_back_what_was_recorded(tmp_path: Path, lists: dict, k: int, random: Any) -> None:
    items = pa.array(list(lists.values()), pa.list_(pa.string()))
    name = parquet(tmp_path, {"user": list(lists), "items": items}, row_group_size=3)
    users = [*lists, "someone not recorded"]
    random.shuffle(users)
    ranked = build(tmp_path, name).rank(asked(users, k=k))
    assert shown(ranked) == [lists.get(user, [])[:k] for user in users]


def say(model: Any, text: str, user: str | None = None) -> Answer:
    request = ChatRequest(messages=(Message("system", "be brief"), Message("user", text)), user=user)
    return asyncio.run(model.answer(request, Call()))


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_recorded_texts_answer_a_chat_by_user_or_by_prompt(tmp_path: Path, form: str) -> None:
    rows = [{"user": "a", "text": "Try Heat."}, {"user": "b", "text": "Try Ran."}]
    prompts = [{"prompt": "what, next?", "text": "Heat"}]
    for name, entries in (("users", rows), ("prompts", prompts)):
        path = tmp_path / f"{name}.{form}"
        if form == "jsonl":
            path.write_text("\n".join(map(json.dumps, entries)))
        elif form == "csv":
            path.write_text(
                "\n".join([",".join(entries[0]), *(",".join(f'"{v}"' for v in e.values()) for e in entries)])
            )
        else:
            pq.write_table(pa.Table.from_pylist(entries), path)
    by_user = build(tmp_path, f"users.{form}", kinds=["chat"])
    assert say(by_user, "anything", user="b").response == ChatResponse(text="Try Ran.")
    missing = say(by_user, "anything", user="c")
    assert (missing.status, missing.error) == (Status.MISSING, "no text is recorded for user 'c'")
    by_prompt = build(tmp_path, f"prompts.{form}", kinds=["chat"])
    assert say(by_prompt, "what, next?").response == ChatResponse(text="Heat")
    assert say(by_prompt, "else").status is Status.MISSING


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.jsonl", '{"user": "a", "txt": "b"}', "has no 'text'; did you mean 'txt'? in any line"),
        ("a.jsonl", '{"id": "a", "text": "b"}', "has neither a column 'user' nor 'prompt'"),
        ("a.jsonl", '{"user": "a", "text": "b"}\n{"user": "a", "text": "c"}', "user 'a' is recorded twice"),
        ("a.run", "", "a TREC run holds ranked lists, not texts"),
    ],
)
def test_recorded_texts_that_cannot_be_used_are_refused(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    written(tmp_path, name, text)
    with pytest.raises(UsageError) as caught:
        build(tmp_path, name, kinds=["chat"])
    assert sentence in str(caught.value)


def test_a_user_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    # the NaN sends the line past the strict reader, which would refuse the surrogate itself
    name = written(tmp_path, "a.jsonl", '{"user": "\\ud800", "items": ["i1"], "x": NaN}\n')
    with pytest.raises(UsageError, match="the user holds a lone surrogate"):
        build(tmp_path, name)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", "user,item,item\nu0,i1,i2\n")
    with pytest.raises(UsageError, match="two columns named 'item'; rename one"):
        build(tmp_path, name)


def test_ids_that_are_no_text_are_said_to_be_so(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    items = pa.ListArray.from_arrays([0, 1], broken)
    model = build(tmp_path, parquet(tmp_path, {"user": ["u0"], "items": items}))
    with pytest.raises(UsageError, match=r"run\.parquet holds an id that is not UTF-8 text"):
        model.rank(asked(["u0"]))


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_one_user_asked_several_times_gets_its_own_list_each_time(tmp_path: Path, form: str) -> None:
    model = build(tmp_path, in_format(tmp_path, form))
    # rows 0 0 2 of the file are not rows 0 1 2
    stored = model._store.users.to_pylist()
    users = [stored[0], stored[0], stored[2]]
    assert shown(model.rank(asked(users))) == [LISTS[user] for user in users]


def test_lists_by_case_tell_the_questions_about_a_user_apart(tmp_path: Path) -> None:
    recorded = {"u1#2": ["i2"], "u1#1": ["i1"], "u2": ["i3"]}
    rows = [{"case": case, "items": items} for case, items in recorded.items()]
    (tmp_path / "by_case.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = build(tmp_path, "by_case.jsonl", columns={"user": "case"})
    users, cases = pa.array(["u1", "u1", "u2", "u2"]), pa.array(["u1#1", "u1#2", "u2#1", "u2#2"])
    order = pa.array(model.arrange(users, cases))
    batch = replace(asked(users.take(order).to_pylist()), cases=cases.take(order))
    found = dict(zip(cases.take(order).to_pylist(), shown(model.rank(batch)), strict=True))
    assert found == {"u1#1": ["i1"], "u1#2": ["i2"], "u2#1": ["i3"], "u2#2": ["i3"]}
    assert model.facts()["questions answered by another's list"] == 1


def test_a_column_of_scores_that_nobody_filled_is_none(tmp_path: Path) -> None:
    columns = {"user": ["u1", "u2"], "items": [["i1"], ["i2", "i3"]]}
    empty = pa.array([None, None], pa.list_(pa.float64()))
    ranked = build(tmp_path, parquet(tmp_path, {**columns, "scores": empty})).rank(asked(["u1", "u2"]))
    assert statuses(ranked) in ([], [Status.OK, Status.OK])
    assert ranked.scores is None
    some = pa.array([None, [2.0, 1.0]], pa.list_(pa.float64()))
    ranked = build(tmp_path, parquet(tmp_path, {**columns, "scores": some})).rank(asked(["u1", "u2"]))
    assert statuses(ranked) == [Status.INVALID, Status.OK]
