"""Judges in suite files: every fault at its line, before anything is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.suite.load import LoadedSuite, check_metrics, check_prompts

SCENARIO = """
from genrec_eval.core.strict import StrictModel
from genrec_eval.metrics.registry import metric
from genrec_eval.scenarios.base import Scenario

class Options(StrictModel):
    pass

class Notes(Scenario):
    name, kind, writes, title, summary = "notes", "chat", True, "Notes", "A note each."
    Options = Options
    def prepare(self, dataset): ...
    def metrics(self): return [metric("length")]
    def request(self, prepared, case): ...
    def score(self, cases, context, records): ...

def judge(request): return "{}"
"""
JUDGED = """\
name: judged
models:
  plain: {adapter: python, target: "notes.py:judge", kinds: [chat]}
  other: {adapter: python, target: "notes.py:judge", kinds: [chat]}
  absent: {adapter: python, target: "notes.py:judge", kinds: [chat], scenarios: [elsewhere]}
judges:
  rules:
    model: {adapter: python, target: "notes.py:judge", kinds: [chat]}
    orders: both
  gpt:
    model: {adapter: openai, model: gpt, base_url: "http://127.0.0.1:9/v1", api_key: none}
scenarios:
  notes:
    scenario: "notes.py:Notes"
    judging:
      - {judge: rules, rubric: helpfulness}
      - {judge: [rules, gpt], rubric: helpfulness, task: pairwise, against: plain, control: [length]}
      - {judge: gpt, rubric: faithfulness, task: claims}
  elsewhere:
    scenario: "notes.py:Notes"
claims:
  - claim: helpful
    scenario: notes
    metric: rubric_score(judge=rules,rubric=helpfulness)
    model: other
    at_least: 3
  - claim: better
    scenario: notes
    metric: win_rate(rubric=helpfulness, judge=rules+gpt, against=plain)
    model: other
    at_least: 0.5
"""


@pytest.fixture(autouse=True)
def _notes(tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text(SCENARIO)


@pytest.fixture
def check(load: Callable[..., LoadedSuite]) -> Callable[..., list[str]]:
    """The lines in which `validate` refuses a suite."""

    def lines(text: str) -> list[str]:
        try:
            loaded = load(text)
            check_metrics(loaded)
            check_prompts(loaded)
        except UsageError as error:
            return getattr(error, "lines", [str(error)])
        return []

    return lines


def test_a_sound_suite_is_accepted_and_measures_what_it_asks(
    load: Callable[..., LoadedSuite], check: Callable[..., list[str]]
) -> None:
    assert check(JUDGED) == []
    loaded = load(JUDGED)
    measured = [metric.id for metric in loaded.scenario("notes").measured()]
    assert measured[0].startswith("length")
    assert measured[1:4] == [
        "rubric_score(judge=rules,rubric=helpfulness)",
        "win_rate(against=plain,judge=rules+gpt,rubric=helpfulness)",
        "controlled_win_rate(against=plain,judge=rules+gpt,rubric=helpfulness)",
    ]
    assert measured[-1] == "claim_support(judge=gpt,rubric=faithfulness)"
    assert loaded.scenario("elsewhere").questions == ()
    assert loaded.resolved["judges"]["gpt"]["on_unparsed"] == "exclude"


FAULTS = [
    (
        "judge: rules, rubric: helpfulness",
        "judge: ruels, rubric: helpfulness",
        16,
        "no judge 'ruels' in this suite",
    ),
    ("judge: rules, rubric: helpfulness", "judge: ruels, rubric: helpfulness", 16, "did you mean 'rules'"),
    ("[rules, gpt]", "[rules, gtp]", 17, "did you mean 'gpt'"),
    ("[rules, gpt]", "[rules, rules]", 17, "judge 'rules' is on the panel twice"),
    ("against: plain,", "against: palin,", 17, "no model 'palin' in this suite; did you mean 'plain'?"),
    ("against: plain,", "against: absent,", 17, "model 'absent' takes no part in scenario 'notes'"),
    (
        "rubric: faithfulness",
        "rubric: faithfullness",
        18,
        "unknown rubric 'faithfullness'; did you mean 'faithfulness'?",
    ),
    ("task: claims", "task: claim", 18, "did you mean 'claims'"),
    ("orders: both", "orders: boht", 9, "did you mean 'both'"),
    ("orders: both", "order: both", 9, "unknown key 'order'; did you mean 'orders'?"),
    ("orders: both", "dialect: jsn", 9, "unknown dialect 'jsn'; did you mean 'json'?"),
    ("orders: both", "dialect: alpaca-token", 16, "no words for pointwise tasks"),
    ("orders: both", "on_unparsed: tie", 16, "a pointwise verdict has no tie"),
    ("orders: both", "score_mode: expected", 17, "score_mode expected: dialect 'json' reads no score"),
    ("orders: both", "dialect: mtbench-single", 17, "no words for pairwise tasks"),
    ("control: [length]", "control: [length, length]", 17, "control names 'length' twice"),
    (
        "control: [length]",
        "control: [lenght]",
        17,
        "no covariate 'lenght' in 'notes'; did you mean 'length'?",
    ),
    (
        "model: gpt, base_url",
        "model: gpt, kinds: [image], base_url",
        11,
        "must answer chat, and this model answers image",
    ),
    ("model: gpt, base_url", "model: gpt, repeats: 2, base_url", 11, "'repeats' has no meaning for a judge"),
    ("{adapter: openai, model: gpt,", "{adapter: opnai, model: gpt,", 11, "did you mean 'openai'"),
    ("judge=rules,rubric=helpfulness)", "judge=rule,rubric=helpfulness)", 24, "does not measure"),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), FAULTS, ids=[fault[3][:40] for fault in FAULTS])
def test_each_fault_is_said_at_its_line(
    check: Callable[..., list[str]], old: str, new: str, line: int, said: str
) -> None:
    assert old in JUDGED
    found = check(JUDGED.replace(old, new, 1))
    assert any(one.startswith(f"s.yaml:{line}: ") and said in one for one in found), found


def test_a_scenario_without_texts_has_nothing_to_judge(small: str, faults: Callable[..., list[str]]) -> None:
    judges = "judges:\n  j:\n    model: {adapter: python, target: 'x.py:f', kinds: [chat]}\n"
    asked = small.replace(
        "    scenario: top-k\n", "    scenario: top-k\n    judging: [{judge: j, rubric: helpfulness}]\n"
    )
    (said,) = faults(judges + asked)
    assert "scenario 'top-k' has no texts to judge; drop 'judging'" in said


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("{adapter: replay, path: x.jsonl}", "this model answers rank; write kinds: [chat]"),
        ("{adapter: reference, model: popularity}", "must answer chat, and this model answers rank"),
        ("{adapter: logged}", "must answer chat, and this model answers log"),
    ],
)
def test_models_that_do_not_chat_are_no_judges(
    check: Callable[..., list[str]], model: str, said: str
) -> None:
    text = JUDGED.replace(
        '{adapter: python, target: "notes.py:judge", kinds: [chat]}\n    orders', f"{model}\n    orders"
    )
    assert any(one.startswith("s.yaml:8: judges.rules.model: ") and said in one for one in check(text))


def test_a_dialect_of_log_probabilities_needs_a_model_that_gives_them(
    check: Callable[..., list[str]],
) -> None:
    model = "{adapter: replay, path: x.jsonl, kinds: [chat]}"
    text = JUDGED.replace(
        '{adapter: python, target: "notes.py:judge", kinds: [chat]}\n    orders: both',
        f"{model}\n    dialect: alpaca-token",
    )
    assert any(
        "dialect 'alpaca-token' reads log-probabilities, and the adapter 'replay'" in one
        for one in check(text)
    )


def test_the_same_question_twice_is_a_fault(check: Callable[..., list[str]]) -> None:
    text = JUDGED.replace(
        "      - {judge: gpt, rubric: faithfulness",
        "      - {judge: rules, rubric: helpfulness, limit: 5}\n      - {judge: gpt, rubric: faithfulness",
    )
    (said,) = check(text)
    assert (
        said
        == "s.yaml:18: scenarios.notes.judging.2: asks the same as judging.0: same task, judges and rubric"
    )


def test_two_rubrics_of_one_name_are_refused(check: Callable[..., list[str]], tmp_path: Path) -> None:
    mine = "name: helpfulness\ntitle: Mine\ncriterion: Is it mine?\n"
    (tmp_path / "helpfulness.yaml").write_text(mine)
    text = JUDGED.replace("rubric: faithfulness, task: claims", "rubric: helpfulness.yaml")
    (said,) = check(text)
    assert said.startswith("s.yaml:18: scenarios.notes.judging.2.rubric: 'helpfulness.yaml' is named")
    assert "named 'helpfulness' like 'helpfulness', and says otherwise" in said


def test_a_panel_scores_on_one_scale(check: Callable[..., list[str]]) -> None:
    text = JUDGED.replace("judge: rules, rubric: helpfulness}", "judge: [rules, gpt], rubric: helpfulness}")
    text = text.replace("api_key: none}", "api_key: none}\n    dialect: mtbench-single")
    assert any("score on different scales (rules 1 to 5, gpt 1 to 10)" in one for one in check(text))


def test_a_rubric_file_beside_the_suite(check: Callable[..., list[str]], tmp_path: Path) -> None:
    text = JUDGED.replace("rubric: faithfulness", "rubric: mine/tone.yaml").replace(
        "task: claims", "task: pointwise"
    )
    assert any("tone.yaml" in one for one in check(text))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tone.yaml").write_text(
        "name: tone\ntitle: Tone\ncriterion: Is it kind?\nlevels: {1: no, 5: yes}\n"
    )
    (said,) = check(text)
    assert "levels 2, 3, 4 missing" in said
    assert said.startswith("s.yaml:18: ")
    (tmp_path / "mine" / "tone.yaml").write_text("name: tone\ntitle: Tone\ncriterion: Is it kind?\n")
    assert check(text) == []


def test_overrides_reach_judges_and_name_the_unknown(load: Callable[..., LoadedSuite]) -> None:
    loaded = load(JUDGED, "judges.rules.repeats=3")
    assert loaded.suite.judges["rules"].repeats == 3
    with pytest.raises(UsageError, match="no 'rulse' under judges; did you mean 'rules'"):
        load(JUDGED, "judges.rulse.repeats=3")


def test_validating_judges_imports_nothing_heavy(load: Callable[..., LoadedSuite], tmp_path: Path) -> None:
    import subprocess

    load(JUDGED.replace(", control: [length]", ""))  # writes the file
    heavy = ("torch", "pandas", "scipy", "numba", "openai", "sacrebleu")
    code = (
        "import sys\nfrom genrec_eval.suite.load import *\nloaded = resolve('s.yaml')\n"
        "check_metrics(loaded); check_prompts(loaded)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
