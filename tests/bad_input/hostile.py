"""A run in which every text that a stranger can write is hostile, and the command line to put before it."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from workshop import Said, flat

from genrec_eval.cli.main import exit_code

EVIL = (
    "<script>alert(1)</script> \u202egnp {{7*7}} {% raw %} \"'`$(id) \x1b[31mRED\x07 ::error file=x::boo"
    " ##vso[task] ]]> --> </textarea> =1+1 |x|\n::error::line\r\n@SUM(A1)"
)
USERS = 60
ITEMS = 30
TOP_K = {"scenario": "top-k", "metric": "ndcg@5"}

MODEL = f"""
import zlib
EVIL = {EVIL!r}

def recommend(user, history, k):
    place = zlib.crc32((user + 'SEED').encode())
    if place % 23 == 1:
        raise RuntimeError(EVIL)
    if place % 29 == 2:
        return [EVIL] * k
    return [f'i{{(place + 7 * j) % {ITEMS}}}' + EVIL * ((place + 7 * j) % {ITEMS} % 5 == 0) for j in range(k)]

def write(request):
    return EVIL * (1 + len(request.messages[-1].content) % 3)
"""


def cli(*words: object) -> Said:
    """Run one command in this process: no fault, nothing that commands a terminal or a CI service."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = exit_code([str(word) for word in words])
    said = Said(int(code), out.getvalue(), err.getvalue()).civil()
    assert said.code in range(5), said
    assert not set("\x1b\x07\x00\r\u202e") & set(said.text), said
    if "--github" not in words:
        assert not re.search(r"^::|##vso\[", said.text, re.MULTILINE), said
    return said


def refusal(*words: object, code: int = 2) -> str:
    """The sentence with which a command ends; what it quotes may break lines."""
    said = cli(*words)
    assert (said.code, said.err[:7]) == (code, "error: "), said
    return flat(said.err)


def data(folder: Path) -> None:
    """Interactions, items and users whose ids, titles and groups are hostile."""
    import random

    draw = random.Random(1)
    items = [f"i{k}{EVIL * (k % 5 == 0)}" for k in range(ITEMS)]
    users = [f"u{k}{EVIL * (k % 7 == 0)}" for k in range(USERS)]
    rows: dict[str, list[dict[str, Any]]] = {
        "log": [
            {"user": user, "item": item, "rating": draw.randint(1, 5), "timestamp": 1000 + 100 * when}
            for user in users
            for when, item in enumerate(draw.sample(items, 8))
        ],
        "items": [{"item": item, "title": f"Title {item}", "genres": EVIL} for item in items],
        "users": [{"user": user, "kind": [f"<b>{EVIL}", "plain"][k % 2]} for k, user in enumerate(users)],
    }
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def suite() -> dict[str, Any]:
    """Every key that takes a sentence takes this one."""
    play = {"data": "own", "description": EVIL}
    judge = {"adapter": "reference", "model": "rubric-judge"}
    ranks, writes = {"scenarios": ["top-k"]}, {"scenarios": ["explanation"]}
    options = {"split": {"method": "leave-one-out"}, "groups": ["kind"]}
    files = {name: f"{name}.jsonl" for name in ("items", "users")}
    return {
        "name": "hostile",
        "description": EVIL,
        "seed": 3,
        "data": {
            "own": {
                "dataset": "files",
                "options": {"interactions": "log.jsonl", **files, "groups": ["kind"], "label": EVIL},
            }
        },
        "models": {
            "pop": {"adapter": "reference", "model": "popularity", "description": EVIL, **ranks},
            "mine": {"adapter": "python", "target": "model.py:recommend", **ranks},
            "writer": {
                "adapter": "python", "kinds": ["chat"], "target": "model.py:write", **writes,
            },
        },
        "judges": {"rules": {"model": judge, "description": EVIL}},
        "scenarios": {
            "top-k": {
                **play,
                "scenario": "top-k",
                "options": {**options, "k": 5, "metrics": ["ndcg@5", "recall@5", "coverage@5"]},
            },
            "explanation": {
                **play,
                "scenario": "explanation",
                "options": {**options, "max_users": 8, "metrics": ["length", "distinct"], "variants": []},
                "judging": [{"judge": "rules", "rubric": "faithfulness", "limit": 4}],
            },
        },
        "engine": {"retries": 0, "error_budget": 0.3},
        "claims": [{"claim": EVIL, **TOP_K, "model": "pop", "at_least": 0.001}],
        "gate": {
            "rules": [
                {"rule": EVIL, **TOP_K, "at_least": 0.001},
                {"rule": EVIL, **TOP_K, "not_worse_by": 0.2},
                {"rule": EVIL, **TOP_K, "by": "kind", "not_worse_by": 0.3},
                {"rule": EVIL, "scenario": "top-k", "metric": "coverage@5", "within": 0.2},
            ]
        },
        "audit": {
            **dict.fromkeys(("system", "purpose", "conducted_by", "intended_use", "population"), EVIL),
            "out_of_scope": [EVIL],
            "deviations": [EVIL],
            "risks": [{"risk": EVIL, "why_not": EVIL}],
        },
    }  # fmt: skip


def played(folder: Path, seed: str) -> Path:
    """Play the suite; ``seed`` changes what one of the models answers."""
    folder.mkdir()
    data(folder)
    (folder / "model.py").write_text(MODEL.replace("SEED", seed), "utf-8")
    (folder / "suite.yaml").write_text(json.dumps(suite()), "utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert cli("run", "suite.yaml", "--out", "run").code in (0, 4)
    finally:
        os.chdir(before)
    return folder / "run"
