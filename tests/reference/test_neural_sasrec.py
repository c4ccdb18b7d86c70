"""SASRec: sound lists, the same in any chunking and on any run, and an order that is really learnt."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.reference.base import REFERENCE

torch = pytest.importorskip("torch")

SMALL = {"max_length": 6, "dimensions": 8, "heads": 2, "layers": 1, "epochs": 2, "batch_size": 16}


def cyclic(users: int = 60, length: int = 7, n_items: int = 12) -> list[list[int]]:
    """Histories in which item i is always followed by i + 1."""
    return [[(user + step) % n_items for step in range(length)] for user in range(users)]


def fitted(training, seed: int = 0, **options):
    made = REFERENCE.get("sasrec")
    return made(training, made.Options(**{**SMALL, **options}), seed=seed)


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_learns_that_one_item_follows_another(training_of, batch_of, loss):
    training = training_of(cyclic(), 12)
    model = fitted(training, loss=loss, dimensions=16, epochs=40, learning_rate=0.01, dropout=0.1)
    asked = [[start, (start + 1) % 12, (start + 2) % 12] for start in range(12)]
    first = model.rank(batch_of(training, asked, 1)).items[:, 0]
    assert np.mean(first == (np.arange(12) + 3) % 12) >= 0.9


def test_the_order_of_the_history_matters(training_of, batch_of):
    training = training_of(cyclic(), 12)
    model = fitted(training, epochs=20, learning_rate=0.01)
    ranked = model.rank(batch_of(training, [[1, 5, 8], [8, 5, 1]], 1))
    assert ranked.items[0, 0] != ranked.items[1, 0]


def test_same_seed_same_lists_and_no_global_draws(training_of, batch_of):
    training = training_of(cyclic(), 12)
    batch = batch_of(training, cyclic(30, 4), 5)
    state = torch.get_rng_state()
    first, again, other = (fitted(training, seed=seed).rank(batch) for seed in (1, 1, 2))
    assert np.array_equal(first.items, again.items)
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.scores, other.scores)
    assert torch.equal(state, torch.get_rng_state())


def test_threads_are_put_back(training_of):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    fitted(training_of(cyclic(10), 12), epochs=1)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_chunks_give_the_same_lists(training_of, same_in_chunks):
    random = np.random.default_rng(3)
    histories = [random.integers(-1, 40, random.integers(0, 15)).tolist() for _ in range(300)]
    training = training_of([[item for item in row if item >= 0] for row in histories], 40)
    model = fitted(training)
    same_in_chunks(model, training, histories, (1, 7, 150))


def test_untrained_items_stand_last_and_nobodys_history_gets_popular_items(training_of, batch_of):
    training = training_of([[0, 1, 2], [2, 0], [2, 1]], 5)
    ranked = fitted(training).rank(batch_of(training, [[], [-1], [3], [0]], 5))
    assert ranked.items[0].tolist() == ranked.items[1].tolist() == [2, 0, 1, 3, 4]
    assert ranked.items[2].tolist() == [2, 0, 1, 4, -1]  # item 3 was never trained: it says nothing
    assert ranked.items[3, 2:].tolist() == [3, 4, -1]


def test_training_without_any_order_falls_back_to_popularity(training_of, batch_of):
    training = training_of([[1], [1], [0]], 3)
    assert fitted(training).rank(batch_of(training, [[0], []], 3)).items.tolist() == [[1, 2, -1], [1, 0, 2]]


def test_negatives_are_never_items_of_the_user():
    from genrec_eval.protocol.arrays import Ragged
    from genrec_eval.reference.neural.sasrec import Negatives

    histories = [[0, 1, 2], [3], [0, 1, 2, 3]]
    drawn = Negatives(Ragged.from_lists(histories), 4).draw(
        np.repeat([0, 1, 2], 200), np.random.default_rng(0)
    )
    assert set(drawn[:200].tolist()) == {3}
    assert set(drawn[200:400].tolist()) == {0, 1, 2}
    assert set(drawn[400:].tolist()) <= {0, 1, 2, 3}  # has had everything: anything goes


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"heads \(3\) must divide dimensions \(8\)"):
        REFERENCE.get("sasrec").Options(dimensions=8, heads=3)


def test_missing_torch_is_a_sentence_with_the_command(training_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"'sasrec' needs torch.*pip install 'genrec-eval\[torch\]'"):
        fitted(training_of([[0, 1]], 2))
