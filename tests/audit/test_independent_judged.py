"""A whole run of texts and judges against a recomputation from its files that shares no code with it.

What judges said is read from ``judgements.parquet``, what writers said from the records; policies, panels,
controlled rates and text metrics are done anew in plain Python, SciPy, sacrebleu, rouge-score and NLTK.
"""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sacrebleu
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from scipy.optimize import minimize

import genrec_eval
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import ChatRequest, Request
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status

SCENARIO, REPEATS = "explanation", 2
ABSENT = {"no-text", "other-no-text", "no-reference", "no-context", "no-claims", "nothing-to-rank"}

JUDGES: dict[str, dict[str, Any]] = {
    "rules": {"model": "rubric-judge"},
    "noisy": {"model": "noisy-judge", "repeats": 3, "combine": "majority", "on_disagree": "half"},
    "median": {"model": "noisy-judge", "repeats": 2, "combine": "median", "on_disagree": "drop"},
    "mumble": {"model": "mumbling-judge", "min_coverage": 0.0},
    "loss": {"model": "mumbling-judge", "min_coverage": 0.0, "on_unparsed": "loss", "orders": "random"},
    "tie": {"model": "mumbling-judge", "min_coverage": 0.0, "on_unparsed": "tie", "repeats": 2},
    "strict": {"model": "mumbling-judge"},
    "slot": {"model": "first-slot-judge", "orders": "given"},
}
DEFAULTS = {
    "orders": "both", "on_disagree": "tie", "on_unparsed": "exclude", "min_coverage": 0.95, "repeats": 1,
    "combine": "mean",
}  # fmt: skip
PAIR = {"rubric": "helpfulness", "task": "pairwise", "against": "template"}
JUDGING: list[dict[str, Any]] = [
    *(
        {"judge": judge, "rubric": "fluency"}
        for judge in ("rules", "noisy", "median", "mumble", "loss", "strict")
    ),
    *({"judge": judge, **PAIR, "control": ["length"]} for judge in ("rules", "noisy", "median")),
    *({"judge": judge, **PAIR} for judge in ("mumble", "loss", "tie", "strict", "slot")),
    {"judge": ["rules", "noisy", "median"], **PAIR, "control": ["length", "claims"]},
    {"judge": ["rules", "noisy"], "rubric": "fluency"},
    {"judge": "mumble", "rubric": "faithfulness", "task": "listwise"},
    {"judge": "noisy", "rubric": "faithfulness", "task": "claims"},
]
WRITERS = {"template": "template-writer", "padder": "padded-text", "constant": "constant-text"}
TEXT = [
    "bleu", "bleu(smooth=floor,tok=intl)", "bleu(level=sentence)", "bleu(order=1)", "chrf",
    "chrf(word_order=2)", "rouge", "rouge(type=L,stemmer=true)", "rouge(type=2,measure=r)", "meteor",
    "distinct", "distinct(n=2)", "usr", "length", "length(of=characters)", "claims",
]  # fmt: skip


class Erratic(Model):
    """Writes by the facts, or nothing, or something else, differently in every repeat."""

    kinds = frozenset({"chat"})

    def identity(self) -> dict[str, Any]:
        return {"adapter": "erratic writer"}

    async def answer(self, request: Request, call: Call) -> Answer:
        assert isinstance(request, ChatRequest)
        facts = dict(re.findall(r"^(title|year|genres): (.*)$", request.messages[-1].content, re.M))
        mood = (len(request.messages[-1].content) + 3 * call.repeat) % 7
        if mood == 0:
            return Answer(status=Status.ERROR, error="no words came")
        said = {
            1: "",
            2: "Great! " * 20,
            3: f"{facts['title']} is of 1901, and you will love it.",
            4: "東京の映画です。",
        }.get(mood, f"{facts['title']} is of {facts.get('year')}: {facts.get('genres')}. It may suit you.")
        return Answer(response=ChatResponse(text=said))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.api.Run:
    folder = tmp_path_factory.mktemp("judged")
    world = {"users": 60, "items": 50, "interactions_per_user": 12, "reviews": 0.7}
    suite = {
        "name": "independent-judged",
        "seed": 12,
        "data": {"world": {"dataset": "synthetic", "options": {**world, "groups": {"A": 0.6, "B": 0.4}}}},
        "models": {
            name: {"adapter": "reference", "model": model}
            for name, model in WRITERS.items()
        },
        "judges": {
            name: {**judge, "model": {"adapter": "reference", "model": judge["model"]}}
            for name, judge in JUDGES.items()
        },
        "engine": {"retries": 0, "repeats": REPEATS, "error_budget": 1},
        "scenarios": {
            SCENARIO: {
                "scenario": "explanation",
                "data": "world",
                "options": {
                    "split": {"fraction": 0.75}, "max_users": 14, "cases_per_user": 2, "variants": [],
                    "metrics": TEXT, "groups": ["group"],
                },
                "judging": JUDGING,
            }
        },
    }  # fmt: skip
    return genrec_eval.run(suite, models={"erratic": Erratic()}, out=folder / "run", quiet=True, report=False)


Text = tuple[str, int, int]


class Judged:
    """What was judged, by plain loops over the stored rows."""

    def __init__(self, run: genrec_eval.api.Run) -> None:
        table = pd.read_parquet(run.path / "judgements.parquet").astype(object)
        table = table.where(table.notna(), None)
        self.rows = [row for row in table.to_dict("records") if row["scenario"] == SCENARIO]
        cases = pd.read_parquet(run.path / "cases" / f"{SCENARIO}.parquet")
        self.unit = dict(zip(cases["case"], cases["unit"], strict=True))
        self.group = dict(zip(cases["unit"], cases["group.group"], strict=True))
        self.units = list(dict.fromkeys(cases["unit"]))

    def of_judge(self, asked: dict[str, Any], judge: str, model: str) -> dict[Text, float | None]:
        """Text → what one judge makes of it."""
        policy, task = {**DEFAULTS, **JUDGES[judge]}, asked.get("task", "pointwise")
        mine = [
            row
            for row in self.rows
            if (row["judge"], row["rubric"], row["task"]) == (judge, asked["rubric"], task)
            and row["other"] == asked.get("against")
        ]
        lists = Counter(
            (row["case"], row["repeat"], row["sample"]) for row in mine if row["reason"] not in ABSENT
        )
        said: dict[Text, dict[tuple[Any, Any], list[float]]] = defaultdict(lambda: defaultdict(list))
        asked_for = heard = 0
        for row in mine:
            if row["model"] != model:
                continue
            text = (row["case"], row["repeat"], row["step"])
            cell = said[text][row["claim"], row["order"]]
            if row["reason"] in ABSENT:
                continue
            if row["label"] != "identical":
                asked_for += 1
                heard += row["status"] == "ok"
            if row["status"] == "ok":
                value = row["value"]
                if task == "listwise":
                    value = (value - 1) / (lists[row["case"], row["repeat"], row["sample"]] - 1)
                cell.append(value)
            elif policy["on_unparsed"] == "tie":
                cell.append(0.5)
            elif policy["on_unparsed"] == "loss":
                cell.append(1.0 if task == "pointwise" else 0.0)
        if heard < policy["min_coverage"] * asked_for:
            return dict.fromkeys(said)
        return {text: self.merged(cells, policy, task) for text, cells in said.items()}

    @staticmethod
    def merged(cells: dict[tuple[Any, Any], list[float]], policy: dict[str, Any], task: str) -> float | None:
        values = {cell: combined(of, policy["combine"], task) for cell, of in cells.items()}
        if task != "pairwise":
            known = [value for value in values.values() if value is not None]
            return statistics.fmean(known) if known else None
        orders = list(values.values())
        if None in orders:
            return None
        if len(orders) == 2 and winner(orders[0]) != winner(orders[1]):
            if policy["on_disagree"] == "drop":
                return None
            if policy["on_disagree"] == "tie":
                return 0.5
        return statistics.fmean(orders)

    def of_panel(self, asked: dict[str, Any], model: str) -> dict[Text, float | None]:
        """Text → what all judges make of it together."""
        judges = [asked["judge"]] if isinstance(asked["judge"], str) else asked["judge"]
        each = [self.of_judge(asked, judge, model) for judge in judges]
        found: dict[Text, float | None] = {}
        for text in each[0]:
            votes = [one[text] for one in each]
            if None in votes:
                found[text] = None
            elif len(votes) > 1 and asked.get("task") == "pairwise":
                found[text] = combined([winner(vote) for vote in votes], "majority", "pairwise")
            else:
                found[text] = statistics.fmean(votes)
        return found

    def per_unit(self, texts: dict[Text, float | None]) -> dict[str, float]:
        """Unit → mean over its texts that have a value."""
        found = defaultdict(list)
        for (case, _, _), value in texts.items():
            if value is not None:
                found[self.unit[case]].append(value)
        return {unit: statistics.fmean(found[unit]) for unit in self.units if unit in found}

    def gaps(
        self, asked: dict[str, Any], model: str, texts: dict[Text, float | None]
    ) -> dict[Text, float | None]:
        """Text → its length less that of the other one, where the text has a value."""
        found: dict[Text, float | None] = {}
        for row in self.rows:
            text = (row["case"], row["repeat"], row["step"])
            if row["model"] == model and row["other"] == asked["against"] and texts.get(text) is not None:
                found[text] = row["length"] - row["other_length"]
        return found


def winner(preference: float) -> float:
    return 1.0 if preference > 0.5 else 0.0 if preference < 0.5 else 0.5


def combined(values: list[float], how: str, task: str) -> float | None:
    if not values:
        return None
    if how == "mean":
        return statistics.fmean(values)
    if how == "majority" and task == "pairwise":
        values = [winner(value) for value in values]
    if how == "median":
        return statistics.median(values)
    modes = statistics.multimode(values)
    return modes[0] if len(modes) == 1 else 0.5 if task == "pairwise" else statistics.fmean(modes)


def controlled(preference: list[float], gaps: list[list[float]]) -> tuple[float, list[float]]:
    """Rate and effects of the penalised logistic fit, by a general optimiser."""
    y = np.array(preference)
    x = np.array([np.tanh(np.array(gap) / (np.std(gap, ddof=1) or np.inf)) for gap in gaps])

    def loss(b: np.ndarray) -> float:
        eta = b[0] + b[1:] @ x
        return float(np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * np.sum(b[1:] ** 2))

    best = minimize(loss, np.zeros(1 + len(x)), method="BFGS", options={"gtol": 1e-10}).x
    return 1 / (1 + math.exp(-best[0])), best[1:].tolist()


@pytest.fixture(scope="module")
def own(run: genrec_eval.api.Run) -> Judged:
    return Judged(run)


def figure(run: genrec_eval.api.Run, metric: str, model: str, part: str = "all") -> Any:
    rows = run.estimates.query("metric == @metric and model == @model and slice == @part")
    return rows[rows["baseline"].isna()].iloc[0]


def named(family: str, asked: dict[str, Any], **more: str) -> str:
    judge = asked["judge"] if isinstance(asked["judge"], str) else "+".join(asked["judge"])
    names = {**more, "judge": judge, "rubric": asked["rubric"]}
    if "against" in asked:
        names["against"] = asked["against"]
    return f"{family}({','.join(f'{name}={names[name]}' for name in sorted(names))})"


FAMILIES = {
    "pointwise": "rubric_score",
    "pairwise": "win_rate",
    "listwise": "judge_rank",
    "claims": "claim_support",
}


@pytest.mark.parametrize("place", range(len(JUDGING)))
def test_what_judges_say_comes_to_the_same_by_hand(place: int, run: genrec_eval.api.Run, own: Judged) -> None:
    asked = JUDGING[place]
    metric = named(FAMILIES[asked.get("task", "pointwise")], asked)
    for model in ("template", "padder", "constant", "erratic"):
        if model == asked.get("against"):
            continue
        units = own.per_unit(own.of_panel(asked, model))
        for part in ("all", "group=A", "group=B"):
            kept = [value for unit, value in units.items() if part in ("all", f"group={own.group[unit]}")]
            size = sum(part in ("all", f"group={own.group[unit]}") for unit in own.units)
            row = figure(run, metric, model, part)
            assert (row["attempted"], row["scored"]) == (size, len(kept)), (metric, model, part)
            assert sum(row["excluded"].values()) == size - len(kept)
            if size >= 5 and kept:
                assert row["value"] == pytest.approx(statistics.fmean(kept), abs=1e-12), (metric, model, part)


def test_the_table_is_worth_the_trouble(run: genrec_eval.api.Run, own: Judged) -> None:
    statuses = Counter((row["judge"], row["status"]) for row in own.rows)
    for judge in ("mumble", "loss", "tie", "strict"):
        assert statuses[judge, "unparsed"] > 10
    assert {row["reason"] for row in own.rows} >= {"no-text", "no-claims"}
    assert all(row["label"] != "identical" for row in own.rows)
    assert (
        figure(run, named("rubric_score", {"judge": "strict", "rubric": "fluency"}), "padder")["scored"] == 0
    )
    assert len(own.unit) > len(own.units)


@pytest.mark.parametrize("place", [i for i, asked in enumerate(JUDGING) if "control" in asked])
def test_controlled_rates_are_those_of_another_optimiser(
    place: int, run: genrec_eval.api.Run, own: Judged
) -> None:
    asked = JUDGING[place]
    held = {} if asked["control"] == ["length"] else {"for": "+".join(asked["control"])}
    claims = pd.read_parquet(run.path / "scores.parquet").query("metric == 'claims'")
    claimed = {(row.model, row.unit): row.value for row in claims.itertuples()}
    for model in ("padder", "constant", "erratic"):
        texts = own.of_panel(asked, model)
        units, lengths = own.per_unit(texts), own.per_unit(own.gaps(asked, model, texts))
        assert list(units) == list(lengths)
        gaps = {
            "length": list(lengths.values()),
            "claims": [claimed[model, unit] - claimed["template", unit] for unit in units],
        }
        found = figure(run, named("controlled_win_rate", asked, **held), model)["value"]
        rates = {*units.values()}
        if rates <= {0.0} or rates <= {1.0}:
            assert {found} == rates
            continue
        rate, effects = controlled(list(units.values()), [gaps[name] for name in asked["control"]])
        assert found == pytest.approx(rate, abs=1e-6)
        for name, effect in zip(asked["control"], effects, strict=True):
            of = {} if name == "length" else {"of": name}
            row = figure(run, named("covariate_effect", asked, **held, **of), model)
            assert row["value"] == pytest.approx(effect, abs=1e-5)


def test_agreement_of_a_panel_by_hand(run: genrec_eval.api.Run, own: Judged) -> None:
    asked = next(one for one in JUDGING if one["judge"] == ["rules", "noisy"])
    for model in ("template", "padder", "erratic"):
        both = [own.of_judge(asked, judge, model) for judge in asked["judge"]]
        near = {
            text: None if None in (a, b) else 1 - abs(a - b) / 4
            for text, a, b in ((text, both[0][text], both[1][text]) for text in both[0])
        }
        units = own.per_unit(near)
        for one in asked["judge"]:
            row = figure(run, named("panel_agreement", asked, one=one), model)
            assert row["value"] == pytest.approx(statistics.fmean(units.values()), abs=1e-12)


class Written:
    """Texts and references of one model, from the stored tables."""

    def __init__(self, run: genrec_eval.api.Run, model: str) -> None:
        cases = pd.read_parquet(run.path / "cases" / f"{SCENARIO}.parquet")
        reference = dict(zip(cases["case"], cases["reference"], strict=True))
        self.unit = dict(zip(cases["case"], cases["unit"], strict=True))
        self.group = dict(zip(cases["case"], cases["group.group"], strict=True))
        records = pd.concat(
            [pd.read_parquet(file) for file in sorted((run.path / "records").glob("*.parquet"))]
        )
        mine = records[(records["model"] == model) & (records["scenario"] == SCENARIO)]
        self.texts = {
            (row.case, row.repeat): row.text for row in mine.itertuples() if isinstance(row.text, str)
        }
        self.pairs = [
            (key, text, reference[key[0]])
            for key, text in self.texts.items()
            if isinstance(reference[key[0]], str)
        ]

    def mean(self, scores: dict[tuple[str, int], float]) -> float:
        """Over repeats, then over the cases of a unit, then over units."""
        cases = defaultdict(list)
        for (case, _), score in scores.items():
            cases[case].append(score)
        units = defaultdict(list)
        for case, of in cases.items():
            units[self.unit[case]].append(statistics.fmean(of))
        return statistics.fmean(statistics.fmean(of) for of in units.values())


MODELS = ("template", "padder", "constant", "erratic")


@pytest.mark.parametrize("model", MODELS)
def test_texts_score_as_the_libraries_score_them(model: str, run: genrec_eval.api.Run) -> None:
    written = Written(run, model)
    assert len(written.pairs) > 10
    corpus = {
        "bleu": sacrebleu.BLEU(),
        "bleu(smooth=floor,tok=intl)": sacrebleu.BLEU(smooth_method="floor", tokenize="intl"),
        "bleu(order=1)": sacrebleu.BLEU(max_ngram_order=1),
        "chrf": sacrebleu.CHRF(),
        "chrf(word_order=2)": sacrebleu.CHRF(word_order=2),
    }
    for (metric, scorer), part in itertools.product(corpus.items(), ("all", "group=A", "group=B")):
        kept = [pair[1:] for pair in written.pairs if part in ("all", f"group={written.group[pair[0][0]]}")]
        expected = scorer.corpus_score([text for text, _ in kept], [[reference for _, reference in kept]])
        assert figure(run, metric, model, part)["value"] == pytest.approx(expected.score, abs=1e-9), metric
    sentence = sacrebleu.BLEU(effective_order=True)
    plain, stemmed = RougeScorer(["rouge1", "rouge2"]), RougeScorer(["rougeL"], use_stemmer=True)
    by_text = {
        "bleu(level=sentence)": lambda text, reference: sentence.sentence_score(text, [reference]).score,
        "rouge": lambda text, reference: plain.score(reference, text)["rouge1"].fmeasure,
        "rouge(measure=r,type=2)": lambda text, reference: plain.score(reference, text)["rouge2"].recall,
        "rouge(stemmer=True,type=L)": lambda text, reference: (
            stemmed.score(reference, text)["rougeL"].fmeasure
        ),
        "meteor": meteor,
    }
    for metric, score in by_text.items():
        scores = {key: score(text, reference) for key, text, reference in written.pairs}
        if metric == "bleu(level=sentence)":  # a corpus metric pools all texts of its units alike
            expected = statistics.fmean(scores.values())
        else:
            expected = written.mean(scores)
        assert figure(run, metric, model)["value"] == pytest.approx(expected, abs=1e-9), metric


class Nothing:
    """No synonyms."""

    @staticmethod
    def synsets(word: str) -> tuple[()]:
        return ()


class Short:
    """The Porter stemmer, for words that are words."""

    stem = staticmethod(PorterStemmer().stem)


def meteor(text: str, reference: str) -> float:
    cut = [
        re.findall(r"[\u3040-\u9fff]|[^\W_\u3040-\u9fff]+(?:['’][^\W_]+)*", one.lower())
        for one in (reference, text)
    ]
    return single_meteor_score(*cut, stemmer=Short, wordnet=Nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS)
def test_what_texts_are_by_themselves(model: str, run: genrec_eval.api.Run) -> None:
    written = Written(run, model)
    long = {key: float(len(text)) for key, text in written.texts.items()}
    assert figure(run, "length(of=characters)", model)["value"] == pytest.approx(written.mean(long))
    for metric, n in (("distinct", 1), ("distinct(n=2)", 2)):
        shares = []
        for repeat in range(REPEATS):
            grams: Counter[tuple[str, ...]] = Counter()
            for (_, of), text in written.texts.items():
                if of == repeat:
                    words = re.findall(r"[\u3040-\u9fff]|[^\W_\u3040-\u9fff]+(?:['’][^\W_]+)*", text.lower())
                    grams.update(zip(*(words[start:] for start in range(n)), strict=False))
            shares.append(len(grams) / grams.total())
        assert figure(run, metric, model)["value"] == pytest.approx(statistics.fmean(shares)), metric
    unique = [
        len({tuple(text.split()) for text in of}) / len(of)
        for of in (
            [text for (_, r), text in written.texts.items() if r == repeat] for repeat in range(REPEATS)
        )
    ]
    assert figure(run, "usr", model)["value"] == pytest.approx(statistics.fmean(unique))


def test_differences_of_pooled_values_are_differences(run: genrec_eval.api.Run) -> None:
    rows = run.estimates.query("slice == 'all' and metric in ['bleu', 'chrf', 'rouge', 'usr', 'distinct']")
    paired = rows.query("baseline == 'template' and model in ['padder', 'constant']")
    assert len(paired) == 10
    for row in paired.itertuples():
        own, other = (figure(run, row.metric, model)["value"] for model in (row.model, row.baseline))
        assert row.value == pytest.approx(own - other, abs=1e-9)
