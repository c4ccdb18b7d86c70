"""A row in words, as the page shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genrec_eval.core.numbers import count, exact, money, seconds
from genrec_eval.reporting.instances.types import Row, Scene
from genrec_eval.reporting.pieces import fold_at, marked
from genrec_eval.reporting.text import line, plural
from genrec_eval.reporting.worddiff import differing
from genrec_eval.scenarios.evidence import Evidence

FLIPPED = {"status": "another status", "gained": "gained", "lost": "lost", "changed": "changed"}
"""Kind of a flip → its word on the page."""


def number(value: Any, unit: str) -> str:
    """A score of one unit, or why there is none."""
    if not isinstance(value, int | float):
        return "not measured" if value is None else f"none: {line(value, 120).replace('-', ' ')}"
    return f"{exact(value * 100)} %" if unit == "share" else exact(value)


def quote(text: str, more: int = 0) -> dict[str, Any]:
    """A text that folds after eight lines."""
    at = fold_at(text)
    return {"head": text[:at], "tail": text[at:], "folded": len(text) - at, "more": more}


def view(
    row: Row,
    scene: Scene,
    titles: Mapping[str, str],
    proof: Callable[[int, int], Evidence | None] = lambda repeat, step: None,
) -> dict[str, Any]:
    """What the template shows of one instance.

    Parameters
    ----------
    titles
        Item → title.
    proof
        Evidence of the text of a repeat and step.
    """
    before = row.get("before")
    groups = [
        f"{name}={value}"
        for name, value in zip(scene.groups, row["groups"], strict=True)
        if value is not None
    ]
    scores = [
        (title, number(value, unit))
        for (_, title, unit), value in zip(scene.metrics, row["scores"], strict=False)
    ]
    tags = [f"{scores[scene.main][0]} {scores[scene.main][1]}"] if scene.main is not None and scores else []
    flip = row.get("flip")
    if flip:
        tags.append(f"{FLIPPED.get(flip['kind'], flip['kind'])} against {scene.against}")
    if row["rank"] <= 10:
        tags.append(f"worst {row['rank']}" if row["rank"] > 1 else "the worst")
    others = frozenset(before["items"]) if before and before.get("items") else None
    turns = [
        _turn(turn, row, titles, others, proof(turn.get("repeat", 0), turn.get("step", 0)))
        for turn in row["turns"]
    ]
    if not turns or "asked" not in row["turns"][0]:
        asked = [_asked(row["asked"], titles)] if row.get("asked") else []
        turns = [{**turn, "asked": asked if not at else []} for at, turn in enumerate(turns)]
    return {
        "case": row["case"],
        "unit": row.get("unit"),
        "arm": row.get("arm"),
        "status": row["status"],
        "groups": groups,
        "tags": tags,
        "flip": flip,
        "rank": row["rank"],
        "wanted": items(row["wanted"], titles, hits=()) if row.get("wanted") else [],
        "wanted_more": row.get("wanted_of", 0) - len(row.get("wanted", ())),
        "turns": turns,
        "more": row.get("more", 0),
        "scores": scores,
        "said": row.get("said", ()),
        "before": _before(before, row, titles) if before else None,
    }


def items(
    ids: Sequence[Any],
    titles: Mapping[str, str],
    hits: Sequence[int] = (),
    others: frozenset[str] | None = None,
    turn: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Items of a list, with how each was grounded, whether it is a hit, and whether the other list has it."""
    turn = turn or {}
    said, tiers = turn.get("mentions") or (), turn.get("grounding") or ()
    found = []
    for at, item in enumerate(ids):
        tier = tiers[at] if at < len(tiers) else None
        mention = said[at] if at < len(said) else None
        found.append(
            {
                "id": item,
                "title": titles.get(item, ""),
                "said": mention if mention and mention != titles.get(item) and mention != item else None,
                "tier": tier,
                "hit": at + 1 in hits,
                "new": others is not None and item not in others,
            }
        )
    return found


def _turn(
    turn: Mapping[str, Any],
    row: Row,
    titles: Mapping[str, str],
    others: frozenset[str] | None,
    proof: Evidence | None,
) -> dict[str, Any]:
    parts = [f"repeat {turn['repeat'] + 1}" if "repeat" in turn else ""]
    parts.append(f"step {turn['step'] + 1}" if "step" in turn else "")
    parts.append(turn["status"] if turn["status"] != row["status"] or parts != ["", ""] else "")
    parts.append(plural(turn["attempts"], "attempt") if "attempts" in turn else "")
    parts.append(seconds(turn["seconds"]) if "seconds" in turn else "")
    if "input_tokens" in turn or "output_tokens" in turn:
        parts.append(f"{count(turn.get('input_tokens'))} tokens in, {count(turn.get('output_tokens'))} out")
    parts.append(money(turn["cost"]) if "cost" in turn else "")
    shown: dict[str, Any] = {
        "head": " · ".join(filter(None, parts)),
        "again": turn.get("again", False),
        "asked": [_asked(turn["asked"], titles)] if "asked" in turn else [],
        "error": turn["error"][0] + _more(turn["error"][1]) if "error" in turn else "",
        "items": [],
        "items_more": 0,
        "empty": False,
        "hits": "",
        "ratings": [],
        "texts": [],
        "marked": None,
        "blob": turn.get("blob", ""),
    }
    if "items" in turn:
        hits = turn.get("hits", ())
        shown["items"] = items(turn["items"], titles, hits, others, turn)
        shown["items_more"] = turn["of"] - len(turn["items"])
        if row.get("wanted"):
            places = ", ".join(map(str, hits))
            shown["hits"] = f"Found at place {places}." if hits else "None of what was wanted is in it."
        shown["empty"] = not turn["items"]
    if "ratings" in turn:
        asked = turn.get("asked") or row.get("asked") or {}
        names = asked.get("rate") or [""] * len(turn["ratings"])
        true = turn.get("true") or [None] * len(turn["ratings"])
        shown["ratings"] = [
            (
                name,
                titles.get(name, ""),
                "—" if given is None else exact(given),
                "" if t is None else exact(t),
            )
            for name, given, t in zip(names, turn["ratings"], true, strict=False)
        ]
        shown["items_more"] = turn["of"] - len(turn["ratings"])
    told = proof is not None and proof.text is not None and proof.marks
    if told and proof is not None and proof.text is not None:
        shown["marked"] = marked(proof.text, proof.marks)
    for name in ("text", "raw"):
        if name in turn and not (name == "text" and told):
            label = "" if name == "text" else "What came, and could not be read as an answer"
            shown["texts"].append((label, quote(*turn[name])))
    return shown


def _more(left: int) -> str:
    return f" … {left:,} more characters" if left else ""


def _asked(asked: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    facts = []
    if "user" in asked:
        facts.append(f"user {asked['user']}")
    if "k" in asked:
        facts.append(f"{plural(asked['k'], 'item')} asked for")
    if "candidates" in asked:
        facts.append(f"out of {plural(asked['candidates'], 'candidate')}")
    if "rate" in asked:
        facts.append(
            f"to rate {plural(len(asked['rate']), 'item')} and more"
            if len(asked["rate"]) >= 25
            else f"to rate {plural(len(asked['rate']), 'item')}"
        )
    if "profile" in asked:
        facts.append("profile " + asked["profile"][0] + _more(asked["profile"][1]))
    past = ""
    if "history" in asked:
        left = asked["of"] - len(asked["history"])
        past = "No history." if not asked["of"] else f"History of {plural(asked['of'], 'item')}"
        past += ", the latest:" if asked["of"] and left else ":" if asked["of"] else ""
    messages = [(role, quote(text, more)) for role, text, more in asked.get("messages", ())]
    if "raw" in asked:
        messages.append(("request", quote(*asked["raw"])))
    return {
        "facts": "; ".join(facts),
        "past": past,
        "history": items(asked.get("history", ()), titles),
        "messages": messages,
        "above": asked.get("above", 0),
        "skipped": asked.get("skipped", 0),
    }


def _before(before: Mapping[str, Any], row: Row, titles: Mapping[str, str]) -> dict[str, Any]:
    turn = row["turns"][0] if row["turns"] else {}
    now = frozenset(turn.get("items") or ())
    old, new = before.get("text"), turn.get("text")
    shown = {
        "who": before["who"],
        "status": before["status"],
        "now": row["status"],
        "error": before["error"][0] + _more(before["error"][1]) if "error" in before else "",
        "now_error": turn["error"][0] + _more(turn["error"][1]) if "error" in turn else "",
        "items": items(before.get("items", ()), titles, before.get("hits", ()), now),
        "items_more": before.get("of", 0) - len(before.get("items", ())),
        "now_items": items(
            turn.get("items", ()), titles, turn.get("hits", ()), frozenset(before.get("items") or ())
        ),
        "now_items_more": turn.get("of", 0) - len(turn.get("items", ())) if "items" in turn else 0,
        "text": None,
        "now_text": None,
    }
    if old or new:
        shown["text"], shown["now_text"] = differing((old or ["", 0])[0], (new or ["", 0])[0])
    return shown
