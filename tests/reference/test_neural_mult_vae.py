"""Mult-VAE: sound lists, the same in any chunking and on any run, and groups that are really learnt."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.reference.base import REFERENCE

torch = pytest.importorskip("torch")

SMALL = {"hidden": 16, "latent": 4, "epochs": 3, "batch_size": 16}


def fitted(training, seed: int = 0, **options):
    made = REFERENCE.get("mult-vae")
    return made(training, made.Options(**{**SMALL, **options}), seed=seed)


def test_recommends_the_rest_of_the_group_also_to_new_users(training_of, batch_of):
    random = np.random.default_rng(1)
    groups = [list(range(8)), list(range(8, 16))]
    histories = [random.choice(groups[user % 2], 5, replace=False).tolist() for user in range(80)]
    model = fitted(training_of(histories, 16), epochs=40, learning_rate=0.01, beta=0.02)
    # users u200, ... were never seen: only their history speaks
    ranked = model.rank(batch_of(model.training, [[0, 3], [12, 9], [1]], 6, first=200))
    for row, group in ((0, groups[0]), (1, groups[1]), (2, groups[0])):
        assert len(set(ranked.items[row].tolist()) & set(group)) >= 5


def test_the_divergence_is_that_of_two_normal_distributions():
    from genrec_eval.core.randomness import generator
    from genrec_eval.reference.mult_vae import MultVAEOptions
    from genrec_eval.reference.neural.mult_vae import Network

    network = Network(6, MultVAEOptions(**SMALL), generator(0, "test")).double().eval()
    had = torch.tensor([[1.0, 0, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0]], dtype=torch.float64)
    hidden = torch.tanh(network.encoder(had / had.norm(dim=1, keepdim=True)))
    mean, log_variance = network.latent(hidden).chunk(2, dim=1)
    there = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(there, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    assert torch.allclose(network(had)[1], expected)


def test_dropout_keeps_the_mean_and_its_share():
    from genrec_eval.reference.neural.tools import Dropout

    dropout = Dropout(0.3, np.random.default_rng(2))
    made = dropout(torch.ones(1000, 100))
    assert float((made == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(made.mean()) == pytest.approx(1.0, abs=0.01)
    assert torch.equal(dropout.eval()(torch.ones(3)), torch.ones(3))


def test_same_seed_same_lists_and_no_global_draws(training_of, batch_of):
    random = np.random.default_rng(0)
    training = training_of([random.integers(0, 20, 6).tolist() for _ in range(40)], 20)
    batch = batch_of(training, [[1, 2], [3], [4, 5, 6]], 8)
    state = torch.get_rng_state()
    first, again, other = (fitted(training, seed=seed).rank(batch) for seed in (1, 1, 2))
    assert np.array_equal(first.items, again.items)
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.scores, other.scores)
    assert torch.equal(state, torch.get_rng_state())


def test_order_and_repeats_of_the_history_do_not_matter(training_of, batch_of):
    training = training_of([[0, 1, 2], [2, 3], [1, 3]], 5)
    ranked = fitted(training).rank(batch_of(training, [[0, 1], [1, 0, 1, -1]], 3))
    assert np.array_equal(ranked.items[0], ranked.items[1])
    assert np.array_equal(ranked.scores[0], ranked.scores[1])


def test_chunks_give_the_same_lists(training_of, same_in_chunks):
    random = np.random.default_rng(3)
    histories = [random.integers(-1, 40, random.integers(0, 15)).tolist() for _ in range(600)]
    training = training_of([[item for item in row if item >= 0] for row in histories], 40)
    model = fitted(training, epochs=1)
    same_in_chunks(model, training, histories, (1, 7, 300))


def test_untrained_items_stand_last_and_nobodys_history_gets_popular_items(training_of, batch_of):
    training = training_of([[0, 1, 2], [2, 0], [2, 1]], 5)
    ranked = fitted(training).rank(batch_of(training, [[], [-1], [3], [0]], 5))
    assert ranked.items[0].tolist() == ranked.items[1].tolist() == [2, 0, 1, 3, 4]
    assert ranked.items[2].tolist() == [2, 0, 1, 4, -1]
    assert ranked.items[3, 2:].tolist() == [3, 4, -1]


def test_training_without_interactions_falls_back_to_the_catalogue(training_of, batch_of):
    training = training_of([[]], 3)
    assert fitted(training).rank(batch_of(training, [[], [1]], 3)).items.tolist() == [[0, 1, 2], [0, 2, -1]]
