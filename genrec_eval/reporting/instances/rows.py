"""Instances as plain rows: one shape for the page and for the file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genrec_eval.reporting.instances.asked import ITEMS, TEXT, cut, history, request
from genrec_eval.reporting.instances.types import Row
from genrec_eval.reporting.quoted_judgements import Said

_TURNS = 8
"""Exchanges of one instance, over its steps and repeats."""
_WORD = 200


def asked_of(detail: Mapping[str, Any]) -> dict[str, Any]:
    """What a columnar batch asked: there is no request of a single case."""
    found: dict[str, Any] = {}
    if detail.get("history") is not None:
        found |= history(detail["history"])
    if detail.get("candidates") is not None:
        found["candidates"] = len(detail["candidates"])
    if detail.get("targets") is not None:
        found["rate"] = [str(item)[:_WORD] for item in detail["targets"][:ITEMS]]
    return found


def wanted_of(detail: Mapping[str, Any]) -> list[str]:
    """Ids of what the model should have found; none where there is no such list."""
    return [str(item) for item in detail.get("truth") or ()]


def turns_of(
    records: Sequence[Mapping[str, Any]], wanted: Sequence[str], detail: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Exchanges, by repeat and step."""
    found = []
    truth = frozenset(wanted)
    earlier: Sequence[Any] | None = None
    before: str | None = None
    for record in records[:_TURNS]:
        turn = _turn(record, truth, detail)
        wire = record.get("request")
        if wire is not None and wire == before:
            turn["again"] = True
        elif wire is not None:
            if not record.get("step"):
                earlier = None
            turn["asked"], earlier = request(wire, earlier)
            before = wire
        found.append(turn)
    return found


def _turn(record: Mapping[str, Any], truth: frozenset[str], detail: Mapping[str, Any]) -> dict[str, Any]:
    turn: dict[str, Any] = {"status": str(record.get("status"))[:_WORD]}
    for name in ("repeat", "step"):
        if record.get(name):
            turn[name] = record[name]
    if (record.get("attempts") or 1) > 1:
        turn["attempts"] = record["attempts"]
    sent, end = record.get("sent"), record.get("end")
    # in a batch the two times are those of thousands of answers together
    if record.get("request") is not None and sent is not None and end is not None and end >= sent:
        turn["seconds"] = round(end - sent, 6)
    for name in ("input_tokens", "output_tokens", "cost"):
        if record.get(name) is not None:
            turn[name] = record[name]
    if record.get("error"):
        turn["error"] = cut(record["error"], 600)
    if record.get("items") is not None:
        items = record["items"]
        turn["items"] = [str(item)[:_WORD] for item in items[:ITEMS]]
        turn["of"] = len(items)
        hits = [at for at, item in enumerate(items, 1) if item in truth]
        if hits:
            turn["hits"] = hits[:ITEMS]
        for name in ("mentions", "grounding"):
            if record.get(name):
                turn[name] = [None if word is None else str(word)[:_WORD] for word in record[name][:ITEMS]]
    if record.get("ratings") is not None:
        turn["ratings"] = [None if one is None else round(one, 4) for one in record["ratings"][:ITEMS]]
        turn["of"] = len(record["ratings"])
        if detail.get("ratings") is not None:
            turn["true"] = list(detail["ratings"][:ITEMS])
    for name in ("text", "raw"):
        if record.get(name):
            turn[name] = cut(record[name], TEXT)
    if record.get("blob"):
        turn["blob"] = str(record["blob"])[:_WORD]
    return turn


def row(
    *,
    scenario: int,
    model: int,
    case: str,
    unit: str | None,
    arm: str | None,
    groups: Sequence[str | None],
    status: str,
    rank: int,
    scores: Sequence[float | str | None],
    records: Sequence[Mapping[str, Any]],
    detail: Mapping[str, Any],
) -> Row:
    """One instance, whatever its texts hold of bounded size."""
    found: Row = {
        "scenario": scenario,
        "model": model,
        "case": case[:_WORD],
        "status": status[:_WORD],
        "rank": rank,
        "groups": [None if group is None else group[:_WORD] for group in groups],
        "scores": scores,
    }
    if unit is not None and unit != case:
        found["unit"] = unit[:_WORD]
    if arm not in (None, "neutral"):
        found["arm"] = str(arm)[:_WORD]
    wanted = wanted_of(detail)
    if wanted:
        found["wanted"] = [item[:_WORD] for item in wanted[:ITEMS]]
        found["wanted_of"] = len(wanted)
    if detail and records and records[0].get("request") is None:
        found["asked"] = asked_of(detail)
    found["turns"] = turns_of(records, wanted, detail)
    if len(records) > _TURNS:
        found["more"] = len(records) - _TURNS
    return found


def said(judgements: Sequence[Said]) -> list[dict[str, Any]]:
    """What judges said, as it is kept in a row."""
    return [
        {
            "judge": one.judge,
            "asked": one.asked,
            "verdict": one.verdict,
            "step": one.step,
            "claims": [list(claim) for claim in one.claims],
            "raw": [list(raw) for raw in one.raw],
        }
        for one in judgements[:12]
    ]


def other(who: str, row: Row) -> dict[str, Any]:
    """The other side of a flip, from the row of the other model."""
    turn = row["turns"][0] if row["turns"] else {}
    found = {"who": who, "status": row["status"]}
    return found | {
        name: turn[name] for name in ("items", "of", "hits", "text", "error", "ratings") if name in turn
    }
