"""Judges that answer anything but what was asked: a status for each, a sentence, and no false figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import genrec_eval
from genrec_eval.api import Run, score
from genrec_eval.core.errors import Exit, UsageError

WORLD = {"users": 40, "items": 40, "interactions_per_user": 10, "reviews": 0.6}
CHAT = {"adapter": "python", "kinds": ["chat"]}
PAIR = {"task": "pairwise", "against": "template"}

HEAD = """\
import json
from genrec_eval.judging.fence import read_fences
from genrec_eval.protocol.responses import ChatResponse as Chat, TokenLogprob as Token
import hashlib

def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()

"""
SHOWN = """
    shown = request.messages[-1].content
    blocks = read_fences(shown)
"""
POLICY = ("dialect", "score_mode", "on_unparsed", "min_coverage", "orders", "repeats")

SAYS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    # what it does: (its answer, what is asked of it, status, reason)
    "prose": ("'Both are rather nice.'", {}, "unparsed", "no JSON object with the key 'score'"),
    "another language": ("'両方とも良いです。評価は五。'", {}, "unparsed", "no JSON object"),
    "digits of another script": ('\'{"reason": "جيد", "score": ٤}\'', {}, "unparsed", "no JSON object"),
    "full-width digits": (
        '\'{"reason": "x", "score": "５"}\'',
        {},
        "unparsed",
        "'score' is no number but \"\\uff15\"",
    ),
    "two verdicts": ('\'{"score": 2} or {"score": 5}\'', {}, "unparsed", "two verdicts"),
    "one key twice": ('\'{"score": 2, "score": 5}\'', {}, "unparsed", "a JSON object has one key twice"),
    "out of scale": ("'{\"score\": 11}'", {}, "unparsed", "the score 11 is out of the scale 1 to 5"),
    "infinite": ("'{\"score\": 1e999}'", {}, "unparsed", "the score inf is out of the scale 1 to 5"),
    "a word": ('\'{"score": "five"}\'', {}, "unparsed", "'score' is no number but \"five\""),
    "a share": ('\'{"score": "4/5"}\'', {}, "unparsed", "'score' is no number but \"4/5\""),
    "a truth value": ("'{\"score\": true}'", {}, "unparsed", "'score' is no number but true"),
    "not a number": ("'{\"score\": NaN}'", {}, "unparsed", "no JSON object with the key 'score'"),
    "a comma too many": ("'{\"score\": 3,}'", {}, "unparsed", "no JSON object with the key 'score'"),
    "smart quotes": ("'{“score”: 3}'", {}, "unparsed", "no JSON object with the key 'score'"),
    "its prompt": ("shown", {}, "unparsed", "the judge repeats its prompt"),
    "the text it judges": ("blocks['answer']", {}, "unparsed", "the judge repeats what it was shown"),
    "nothing": ("''", {}, "unparsed", "an empty text"),
    "a refusal": ('"I\'m sorry, I cannot do that."', {}, "refused", "the judge declines to judge"),
    "cut off": (
        'Chat(text=\'{"reason": "it\', finish_reason="length")',
        {},
        "truncated",
        "cut off before a verdict",
    ),
    "filtered": (
        'Chat(text="", finish_reason="content_filter")',
        {},
        "refused",
        "the judge declined",
    ),
    "no text": ("None", {}, "api_error", "invalid: text is null, not a string"),
    "a surrogate": ("'\\ud800'", {}, "api_error", "invalid: text holds a lone surrogate"),
    "no end": ("'x' * 2_000_000", {}, "api_error", "oversized: answer of 2,000,011 bytes"),
    "an exception": ("1 / 0", {}, "api_error", "error: ZeroDivisionError: division by zero"),
    "a claim too few": (
        'json.dumps({"claims": []})',
        {"task": "claims"},
        "unparsed",
        "no verdict on claim 1",
    ),
    "a claim too many": (
        'json.dumps({"claims": [{"claim": -1, "verdict": "supported"}]})',
        {"task": "claims"},
        "unparsed",
        "speaks of a claim that is none of 1 to ",
    ),
    "an unknown word of a claim": (
        'json.dumps({"claims": [{"claim": 1, "verdict": "true"}]})',
        {"task": "claims"},
        "unparsed",
        "the verdict on claim 1 is none of supported, contradicted, not in source",
    ),
    "two words of a claim": (
        'json.dumps({"claims": [{"claim": 1, "verdict": v} for v in ("supported", "contradicted")]})',
        {"task": "claims"},
        "unparsed",
        "two verdicts on claim 1",
    ),
    "no permutation": (
        "'{\"ranking\": [1, 1]}'",
        {"task": "listwise"},
        "unparsed",
        "'ranking' does not name each of 1 to 2 once but is [1, 1]",
    ),
    "neither side": (
        '\'{"verdict": "both"}\'',
        PAIR,
        "unparsed",
        "'verdict' is none of A, B and tie but \"both\"",
    ),
    "labels of both": (
        "'[[A]] or [[B]]'",
        {**PAIR, "dialect": "mtbench-pair"},
        "unparsed",
        "two verdicts in one paragraph: [[A]], [[B]]",
    ),
    "one score for two": (
        "'8'",
        {**PAIR, "dialect": "judgelm"},
        "unparsed",
        "the first line holds no two scores but '8'",
    ),
    "no word on the first line": (
        "'A tie.'",
        {**PAIR, "dialect": "pandalm"},
        "unparsed",
        "the first line is none of 1, 2, Tie but 'A tie.'",
    ),
    "words after the verdict": (
        "'[RESULT] 4, I think'",
        {"dialect": "prometheus-absolute"},
        "unparsed",
        "text follows the verdict [RESULT] 4",
    ),
    "yes and no": (
        "'Yes and no.'",
        {"dialect": "yesno"},
        "unparsed",
        "both yes and no",
    ),
    "impossible log-probabilities": (
        'Chat(text="4", logprobs=(Token("4", 3.0, (("4", 3.0),)),))',
        {"dialect": "geval", "score_mode": "expected"},
        "unparsed",
        "a log-probability is above 0",
    ),
    "log-probabilities that are none": (
        'Chat(text="4", logprobs=(Token("4", float("nan"), ()),))',
        {"dialect": "geval", "score_mode": "expected"},
        "api_error",
        "invalid: logprobs holds NaN",
    ),
    "log-probabilities of something else": (
        'Chat(text="4", logprobs=(Token("2", -0.1, (("2", -0.1),)),))',
        {"dialect": "geval", "score_mode": "expected"},
        "unparsed",
        "the text gives the verdict 4, the tokens 2",
    ),
    "no likely verdict token": (
        'Chat(text="I", finish_reason="length", logprobs=(Token("I", -0.1, (("I", -0.1),)),))',
        {**PAIR, "dialect": "alpaca-token"},
        "truncated",
        "neither m nor M is among the likeliest first tokens",
    ),
}
"""Judges that never give a verdict."""


def play(folder: Path, answers: dict[str, tuple[str, dict[str, Any]]], **more: Any) -> Run:
    """Two writers, four explanations each, and a judge for each answer (a Python expression)."""
    lines, judges, judging = [HEAD], {}, []
    for number, (name, (answer, asked)) in enumerate(answers.items()):
        lines.append(f"def judge_{number}(request):{SHOWN}    return {answer}\n")
        policy = {key: asked[key] for key in POLICY if key in asked}
        judges[slug(name)] = {"model": {**CHAT, "target": f"judge.py:judge_{number}"}, **policy}
        question = {key: value for key, value in asked.items() if key not in POLICY}
        judging.append({"judge": slug(name), "rubric": "faithfulness"} | question)
    (folder / "judge.py").write_text("\n".join(lines))
    options = {"split": {"method": "leave-one-out"}, "max_users": 4, "variants": [], "metrics": ["length"]}
    writers = {"template": "template-writer", "human": "flatters"}
    suite = {
        "name": "strange",
        "data": {"world": {"dataset": "synthetic", "options": WORLD}},
        "models": {name: {"adapter": "reference", "model": model} for name, model in writers.items()},
        "judges": judges,
        "engine": {"retries": 0},
        "scenarios": {
            "explanation": {
                "scenario": "explanation", "data": "world", "options": options, "judging": judging
            }
        },
        **more,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return genrec_eval.run(suite, out=folder / "run", quiet=True)


def slug(name: str) -> str:
    return name.replace(" ", "-")


def figures(run: Run, judge: str) -> list[dict[str, Any]]:
    """Every figure that rests on a judge, over all units."""
    rows = json.loads((run.path / "estimates.json").read_bytes())["estimates"]
    mine = [row for row in rows if f"judge={judge}," in row["metric"] and row["slice"] == "all"]
    return [row for row in mine if row["baseline"] is None]


def sound(run: Run) -> None:
    """All files are strict JSON, and every unit of every figure is accounted for."""
    for path in run.path.rglob("*.json"):
        json.loads(path.read_bytes(), parse_constant=lambda word: pytest.fail(f"{word} in a JSON file"))
    for row in json.loads((run.path / "estimates.json").read_bytes())["estimates"]:
        assert row["attempted"] == row["scored"] + sum(row["excluded"].values()), row
    assert "\x00" not in (run.path / "report.html").read_text()


UNHEARD = {name: case for name, case in SAYS.items() if case[2] == "api_error"}
HEARD = {name: case for name, case in SAYS.items() if name not in UNHEARD}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Judge → the run it was in: those that can be asked together, and those that cannot."""
    found = {}
    for some in (HEARD, UNHEARD):
        asked = {name: case[:2] for name, case in some.items()}
        found |= dict.fromkeys(some, play(tmp_path_factory.mktemp("strange"), asked))
    return found


@pytest.mark.parametrize("name", SAYS)
def test_no_verdict_is_a_status_with_a_reason_and_no_figure(name: str, runs: dict[str, Run]) -> None:
    _, _, status, reason = SAYS[name]
    run, judge = runs[name], slug(name)
    mine = run.judgements.query("judge == @judge")
    assert set(mine["status"]) == {status}
    assert all(reason in said for said in mine["reason"]), set(mine["reason"])
    assert mine["value"].isna().all()
    rows = figures(run, judge)
    assert len(rows) == (1 if "against" in SAYS[name][1] else 2)
    for row in rows:
        assert (row["value"], row["excluded"]) == (None, {"judge-coverage": 4})
    said = f"judge {judge}: {len(mine) // len(rows)} of {len(mine) // len(rows)} judgements have no verdict"
    if len(set(mine.groupby("model").size())) == 1:
        assert said in run.coverage.query("model == 'human'")["remark"].item()


def test_a_judge_that_cannot_be_heard_leaves_the_run_incomplete(runs: dict[str, Run]) -> None:
    assert int(runs["prose"].exit_code) == Exit.PASS
    assert int(runs["no text"].exit_code) == Exit.INCOMPLETE
    for run in (runs["prose"], runs["no text"]):
        sound(run)


STOPS = {
    "no log-probabilities": (
        'Chat(text="4")',
        {"dialect": "geval", "score_mode": "expected"},
        "judge 'no-log-probabilities', case 'u",
        "dialect 'geval' reads this verdict from log-probabilities, and the judge gave none; ask for them",
    ),
    "none for a pair": (
        'Chat(text="m", logprobs=())',
        {**PAIR, "dialect": "alpaca-token"},
        "judge 'none-for-a-pair', case 'u",
        "dialect 'alpaca-token' reads this verdict from log-probabilities, and the judge gave none",
    ),
    "silence that is an error": (
        "'no idea'",
        {"on_unparsed": "raise"},
        "judge 'silence-that-is-an-error' gave no verdict on case 'u",
        "and its policy is on_unparsed: raise; the judgements are kept",
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_no_policy_covers_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    answer, asked, start, rest = STOPS[name]
    with pytest.raises(UsageError) as caught:
        play(tmp_path, {name: (answer, asked)})
    assert str(caught.value).startswith(start)
    assert rest in str(caught.value)
    assert "\n" not in str(caught.value)


SOME = """'{"score": 4}' if blocks["question"] and int(digest(blocks["context"]), 16) % 2 else 'Hm.'"""


def test_policies_say_what_silence_counts_as(tmp_path: Path) -> None:
    asked = {policy: (SOME, {"on_unparsed": policy, "min_coverage": 0}) for policy in ("exclude", "loss")}
    pairs = SOME.replace("score", "verdict").replace("4", '"A"')
    both = {**PAIR, "min_coverage": 0, "orders": "given"}
    for policy in ("exclude", "tie", "loss"):
        asked[f"pair-{policy}"] = (pairs, {**both, "on_unparsed": policy})
    run = play(tmp_path, asked)
    sound(run)
    heard = set(run.judgements.query("judge == 'exclude' and status == 'ok'")["case"])
    n = len(heard)
    assert 0 < n < 4
    for model in ("template", "human"):
        found = {
            judge: next(row for row in figures(run, judge) if row["model"] == model)
            for judge in asked
            if model == "human" or "pair" not in judge
        }
        assert (found["exclude"]["value"], found["exclude"]["scored"]) == (4.0, n)
        assert found["exclude"]["excluded"] == {"unparsed": 4 - n}
        assert found["loss"]["value"] == pytest.approx((4 * n + 1 * (4 - n)) / 4)
        if model == "human":
            assert found["pair-exclude"]["value"] == 1.0
            assert found["pair-tie"]["value"] == pytest.approx((n + (4 - n) / 2) / 4)
            assert found["pair-loss"]["value"] == pytest.approx(n / 4)
            assert found["pair-loss"]["scored"] == 4


FILES = {
    "a level too few": (
        {"r.yaml": "name: r\ntitle: R\ncriterion: Good?\nlevels: {1: bad, 2: so, 3: fine, 5: best}\n"},
        {"rubric": "r.yaml"},
        "r.yaml:4: levels: level 4 missing: a scale from 1 to 5 needs the meaning of every score in it",
    ),
    "a level too many": (
        {"r.yaml": "name: r\ntitle: R\ncriterion: Good?\nscale: [1, 2]\nlevels: {1: a, 2: b, 3: c}\n"},
        {"rubric": "r.yaml"},
        "level 3 is outside the scale from 1 to 2",
    ),
    "a scale upside down": (
        {"r.yaml": "name: r\ntitle: R\ncriterion: Good?\nscale: [5, 1]\n"},
        {"rubric": "r.yaml"},
        "r.yaml:4: scale: a scale is [least, greatest], as in [1, 5], not [5, 1]",
    ),
    "a name that is none": (
        {"odd ,=.yaml": "name: 'odd ,='\ntitle: R\ncriterion: Good?\n"},
        {"rubric": "odd ,=.yaml"},
        "a metric cannot name the rubric 'odd ,=': rename it with letters, digits, - _ .",
    ),
    "a bomb": (
        {
            "r.yaml": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
            )
        },
        {"rubric": "r.yaml"},
        "r.yaml",
    ),
    "an object": (
        {"r.yaml": "name: !!python/object/apply:os.system ['true']\n"},
        {"rubric": "r.yaml"},
        "r.yaml:1",
    ),
    "a rubric that needs what no case has": (
        {"r.yaml": "name: r\ntitle: R\ncriterion: Good?\nreference: true\n"},
        {"rubric": "r.yaml", "dialect": "d.yaml"},
        "d.yaml: cannot be read: No such file or directory",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_rubric_is_told_before_anything_is_played(name: str, tmp_path: Path) -> None:
    files, asked, sentence = FILES[name]
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    with pytest.raises(UsageError) as caught:
        play(tmp_path, {"fine": ("'{\"score\": 3}'", asked)})
    assert sentence in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_another_rubric_is_another_question_and_lost_judgements_are_told(tmp_path: Path) -> None:
    asked = {"fine": ("'{\"score\": 3}'", {"rubric": "r.yaml"})}
    rubric, cached = tmp_path / "r.yaml", []
    for criterion in ("Is it good?", "Is it good?", "Is it kind?", "Is it good?"):
        rubric.write_text(f"name: r\ntitle: R\ncriterion: {criterion}\n")
        run = play(tmp_path, asked)
        cached.append(set(run.judgements["cached"]))
    assert cached == [{False}, {True}, {False}, {True}]
    (run.path / "judgements.parquet").write_bytes(b"PAR1 no more PAR1")
    with pytest.raises(
        UsageError, match=r"judgements\.parquet cannot be read .* run the suite again to rebuild"
    ):
        score(run.path)
    (run.path / "judgements.parquet").unlink()
    with pytest.raises(UsageError, match=r"judgements\.parquet is missing; run the suite again"):
        score(run.path)
    assert set(play(tmp_path, asked).judgements["cached"]) == {True}
