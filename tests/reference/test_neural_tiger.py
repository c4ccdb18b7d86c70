"""The TIGER-like model: beam search against exhaustive scoring, constraints, and lists as generated."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.reference.base import REFERENCE

torch = pytest.importorskip("torch")

SMALL = {
    "codes": 4,
    "levels": 2,
    "max_length": 4,
    "dimensions": 8,
    "heads": 2,
    "layers": 2,
    "epochs": 2,
    "batch_size": 16,
    "beams": 5,
}
N = 24


def with_ids(training, tokens):
    table = training.item_table.append_column("semantic_id", pa.array(tokens, pa.list_(pa.string())))
    return dataclasses.replace(training, item_table=table)


def code(*parts: int) -> list[str]:
    return [f"<{'abc'[level]}_{part}>" for level, part in enumerate(parts)]


@pytest.fixture(scope="module")
def training(training_of):
    """24 items with ids (a, b); 20 and 21 share one, as 22 and 23 do; histories run through them in order."""
    histories = [[(user * 5 + step) % N for step in range(6)] for user in range(50)]
    tokens = [code(item // 5, item % 5) for item in range(20)] + [
        code(4, 0),
        code(4, 0),
        code(4, 1),
        code(4, 1),
    ]
    return with_ids(training_of(histories, N), tokens)


def fitted(training, seed: int = 0, **options):
    made = REFERENCE.get("tiger")
    return made(training, made.Options(**{**SMALL, **options}), seed=seed)


def exhaustive(model, histories):
    """Log-probability of every item's id after each history, by the network without a cache."""
    trained = model.network
    network, table, length = trained.network, trained.table, trained.options.max_length
    found = np.empty((len(histories), N))
    for row, history in enumerate(histories):
        padded = [N] * (length - len(history[-length:])) + list(history[-length:])
        items = np.array([[*padded, item] for item in range(N)])
        items[items == N] = len(table) - 1
        tokens = torch.from_numpy(table[items])
        levels = tokens.shape[2]
        with torch.inference_mode():
            logits = network(tokens)[:, -levels:]
        steps = torch.log_softmax(logits, dim=2).gather(2, tokens[:, -1, :, None])[..., 0]
        found[row] = steps.sum(dim=1).numpy()
    return found


HISTORIES = [[3], [0, 1, 2], [5, 9, 13, 17, 20], [22, 23], [11, 12, 13, 14, 15, 16]]


@pytest.mark.parametrize("collisions", ["number", "expand"])
def test_wide_beams_are_exhaustive_search(training, batch_of, collisions):
    model = fitted(training, beams=N, collisions=collisions, epochs=4)
    ranked = model.rank(batch_of(training, HISTORIES, N))
    expected = exhaustive(model, HISTORIES)
    for row, history in enumerate(HISTORIES):
        items = [item for item in ranked.items[row].tolist() if item >= 0]
        assert sorted(items) == sorted(set(range(N)) - set(history))
        assert ranked.scores[row, : len(items)] == pytest.approx(expected[row, items], abs=1e-5)
        assert np.all(np.diff(ranked.scores[row, : len(items)]) <= 0)


def test_narrow_constrained_beams_still_fill_lists_with_new_items(training, batch_of):
    model = fitted(training, beams=1)
    for candidates in (None, [[1, 2, 3], [0, 1, 5], list(range(24)), [22], []]):
        ranked = model.rank(batch_of(training, HISTORIES, 6, candidates))
        assert not ranked.unknown
        for row, history in enumerate(HISTORIES):
            pool = (set(range(N)) if candidates is None else set(candidates[row])) - set(history)
            items = [item for item in ranked.items[row].tolist() if item >= 0]
            assert len(items) == len(set(items)) == min(6, len(pool))
            assert set(items) <= pool


def test_free_beams_are_the_best_sequences_of_any_tokens(training, batch_of):
    model = fitted(training, constraint="none", collisions="expand", epochs=1, beams=20)
    ranked = model.rank(batch_of(training, HISTORIES, 5))
    assert ranked.unknown, "a hardly trained decoder makes ids up"
    trained = model.network
    names, width = trained.ids.names, len(trained.ids.names)
    pairs = np.stack(np.meshgrid(np.arange(width), np.arange(width), indexing="ij"), axis=2).reshape(-1, 2)
    named = {tuple(row): True for row in trained.ids.tokens.tolist()}
    for row, history in enumerate(HISTORIES):
        read = np.full(4, len(trained.table) - 1)
        read[-len(history[-4:]) :] = history[-4:]
        context = np.broadcast_to(trained.table[read], (len(pairs), 4, 2))
        tokens = torch.from_numpy(np.concatenate([context, pairs[:, None]], axis=1))
        with torch.inference_mode():
            steps = torch.log_softmax(trained.network(tokens)[:, -2:], dim=2)
        total = steps.gather(2, tokens[:, -1, :, None])[..., 0].sum(dim=1).numpy()
        made = [
            ranked.unknown[-2 - entry] if entry < -1 else tuple(trained.ids.tokens[entry].tolist())
            for entry in ranked.items[row].tolist()
        ]
        texts = {
            "".join(names[token] for token in pair) for pair in pairs.tolist() if tuple(pair) not in named
        }
        for entry, score in zip(made, ranked.scores[row].tolist(), strict=True):
            if isinstance(entry, str):
                assert entry in texts
            else:
                place = int(np.flatnonzero((pairs == entry).all(axis=1))[0])
                assert score == pytest.approx(total[place], abs=1e-5)
        # more beams than first tokens: nothing is cut off
        best = np.sort(total)[::-1]
        if all(isinstance(entry, str) for entry in made):  # an id that two items share takes two places
            assert ranked.scores[row] == pytest.approx(best[:5], abs=1e-5)
        assert ranked.scores[row, 0] == pytest.approx(best[0], abs=1e-5)


def test_free_beams_do_not_heed_the_history(training, batch_of):
    """What is generated is handed on: seen items and repeats by way of shared ids are not taken out."""
    model = fitted(training, constraint="none", epochs=8, learning_rate=0.01)
    ranked = model.rank(batch_of(training, [list(range(N))], 5))
    assert (ranked.items >= 0).any()


def test_learns_that_one_item_follows_another(training, batch_of):
    model = fitted(training, dimensions=16, layers=1, epochs=40, learning_rate=0.01, dropout=0.1)
    asked = [[(start + step) % N for step in range(3)] for start in range(N)]
    first = model.rank(batch_of(training, asked, 1)).items[:, 0]
    assert np.mean(first == (np.arange(N) + 3) % N) >= 0.9
    model.network.options = model.options.model_copy(update={"constraint": "none"})
    assert np.mean(model.rank(batch_of(training, asked, 1)).items[:, 0] == first) >= 0.75


@pytest.mark.parametrize("constraint", ["trie", "none"])
def test_chunks_and_runs_give_the_same_lists(training, batch_of, constraint):
    random = np.random.default_rng(3)
    histories = [random.integers(-1, N, random.integers(0, 8)).tolist() for _ in range(150)]

    def written(ranked):
        return [
            [ranked.unknown[-2 - entry] if entry < -1 else entry for entry in row]
            for row in ranked.items.tolist()
        ]

    model = fitted(training, constraint=constraint)
    state = torch.get_rng_state()
    again = fitted(training, constraint=constraint)
    assert torch.equal(state, torch.get_rng_state())
    whole = model.rank(batch_of(training, histories, 5))
    assert written(again.rank(batch_of(training, histories, 5))) == written(whole)
    for cut in (1, 70):
        parts = [
            model.rank(batch_of(training, histories[start:stop], 5, first=start))
            for start, stop in ((0, cut), (cut, 150))
        ]
        assert written(parts[0]) + written(parts[1]) == written(whole)
        assert np.array_equal(np.concatenate([part.scores for part in parts]), whole.scores)


def test_nobodys_history_gets_popular_items(training, batch_of):
    batch = batch_of(training, [[], [-1]], 4)
    popular, made = REFERENCE.get("popularity")(training).rank(batch), fitted(training).rank(batch)
    assert np.array_equal(made.items, popular.items)
    assert np.array_equal(made.scores, popular.scores)


def test_no_order_to_learn_from_falls_back_to_popularity(training_of, batch_of):
    training = with_ids(training_of([[1], [1], [0]], 3), [code(0, 0), code(0, 1), code(1, 0)])
    assert fitted(training).rank(batch_of(training, [[0], []], 3)).items.tolist() == [[1, 2, -1], [1, 0, 2]]


def test_ids_are_made_from_text_where_the_data_brings_none(training_of, batch_of):
    training = training_of([[0, 1, 2, 3], [2, 3, 0]], 4)
    with pytest.raises(UsageError, match=r"'tiger' reads the text of items.*embeddings: column"):
        fitted(training)
    with pytest.raises(UsageError, match="ids: column needs the column 'semantic_id'"):
        fitted(training, ids="column")
    titles = pa.array(["red pen", "blue pen", "oak desk", "oak chair"])
    training = dataclasses.replace(training, item_table=training.item_table.append_column("title", titles))
    ranked = fitted(training).rank(batch_of(training, [[0]], 4))
    assert sorted(ranked.items[0].tolist()) == [-1, 1, 2, 3]


def test_unknown_ids_are_never_ids_of_the_catalogue(training):
    trained = fitted(training, constraint="none").network
    spelled = "".join(trained.ids.names[0:2])
    trained.catalogue = type(trained.catalogue)([spelled])
    assert trained._written([(0, 1), (1, 0)])[0] == f"tokens {spelled}"
