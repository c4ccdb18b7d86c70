"""Other libraries' numbers: what a plain name such as ``map@10`` means there, in our spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genrec_eval.core.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One library's definitions.

    Attributes
    ----------
    library
        The library, and the version whose numbers were compared where one was run.
    metrics
        Plain name → metric of ours with every parameter that is not our default.
    refused
        Plain name → why the library's number cannot be had.
    notes
        What no parameter can reproduce.
    """

    library: str
    metrics: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: str


_RATINGS = {"rmse": "rmse", "mae": "mae"}

PRESETS: Mapping[str, Preset] = {
    "trec": Preset(
        library="trec_eval 9 (pytrec_eval-terrier 0.5.11)",
        metrics={
            "recall": "recall(no_list=exclude)",
            "precision": "precision(no_list=exclude)",
            "f1": "f1(denominator=list,no_list=exclude)",
            "hit_rate": "hit_rate(no_list=exclude)",
            "mrr": "mrr(no_list=exclude)",
            "map": "map(denominator=relevant,no_list=exclude)",
            "ndcg": "ndcg(no_list=exclude)",
            "r_precision": "r_precision(no_list=exclude)",
            "bpref": "bpref(no_list=exclude)",
        },
        refused={
            "auc": "trec_eval measures no area under a curve",
            "gauc": "trec_eval measures no area under a curve",
        },
        notes=(
            "recall_k, P_k, set_F, success_k, recip_rank, map_cut_k, ndcg_cut_k, Rprec and bpref; set_F,"
            " recip_rank and bpref as under -M k. Without -c trec_eval averages over the users that the run"
            " names; with -c it is no_list=zero. A user of whom only unwanted items are known scores 0 there"
            " and is excluded here. Ties are broken by document id there, from the last to the first; here"
            " the list's order holds."
        ),
    ),
    "lenskit": Preset(
        library="LensKit for Python 2025.8.1",
        metrics={
            "recall": "recall(denominator=min,no_truth=zero)",
            "precision": "precision(denominator=list,no_truth=zero)",
            "hit_rate": "hit_rate(no_truth=zero)",
            "mrr": "mrr(no_truth=zero)",
            "map": "map(denominator=list,no_truth=zero)",
            "ndcg": "ndcg(discount=java,gain=binary,no_truth=zero)",
            **_RATINGS,
        },
        notes=(
            "NDCG leaves ranks 1 and 2 undiscounted since LogRankWeight (offset=1 is discount=log2) and is"
            " binary unless gain= names a field. Values without truth are NaN, filled with 0 in the"
            " summaries. RMSE and MAE are the global values (the means of lists are average=macro); LensKit"
            " refuses to score with predictions missing unless told otherwise."
        ),
    ),
    "recbole": Preset(
        library="RecBole 1.2",
        metrics={
            "recall": "recall",
            "precision": "precision",
            "hit_rate": "hit_rate",
            "mrr": "mrr",
            "map": "map",
            "ndcg": "ndcg(gain=binary)",
            "gauc": "gauc",
            **_RATINGS,
        },
        refused={
            "auc": "RecBole's AUC pools the scores of all users, which lists of one user each do not hold"
        },
        notes=(
            "All users get full lists of known, new, distinct items there, so repeats and unknown ids never"
            " arise. Users without positives are dropped. Results are rounded to four decimals. Ties follow"
            " torch.topk, whose order is not specified."
        ),
    ),
    "recommenders": Preset(
        library="recommenders 1.2.1",
        metrics={
            "recall": "recall(no_list=exclude)",
            "precision": "precision(no_list=exclude)",
            "map": "map(denominator=relevant,no_list=exclude)",
            "ndcg": "ndcg(gain=binary)",
            **_RATINGS,
        },
        refused={
            "auc": "auc of recommenders pools the predictions of all users",
            "r_precision": "r_precision_at_k of recommenders averages only over users who have a hit",
        },
        notes=(
            "map is the library's map; its map_at_k is ours by default, but for no_list=exclude. Precision,"
            " recall and MAP average over users with predictions, NDCG over all with truth: two populations"
            " in one report. RMSE and MAE join and drop pairs without a prediction."
        ),
    ),
    "rectools": Preset(
        library="RecTools 0.19.0",
        metrics={
            "recall": "recall",
            "precision": "precision",
            "f1": "f1",
            "hit_rate": "hit_rate",
            "mrr": "mrr",
            "map": "map(denominator=relevant)",
            "ndcg": "ndcg(gain=binary,ideal=slots)",
            "r_precision": "recall(denominator=min)",
        },
        refused={
            "auc": "RecTools' PartialAUC and PAP cut the curve, which none of ours does",
            "gauc": "RecTools has no weighted AUC",
        },
        notes=(
            "r_precision@k is Precision(k, r_precision=True). divide_by_k=True is map(denominator=k),"
            " divide_by_achievable=True is ndcg(gain=binary). An item listed twice earns twice there."
        ),
    ),
    "torchmetrics": Preset(
        library="torchmetrics 1.9.0",
        metrics={
            "recall": "recall(no_truth=zero)",
            "precision": "precision(no_truth=zero)",
            "hit_rate": "hit_rate(no_truth=zero)",
            "mrr": "mrr(no_truth=zero)",
            "map": "map(denominator=hits,no_truth=zero)",
            "ndcg": "ndcg(no_truth=zero,ties=expected)",
            "r_precision": "r_precision(no_truth=zero)",
            **_RATINGS,
        },
        refused={
            "auc": "retrieval_auroc looks only at the first k that it is given, and is 0 where undefined",
            "gauc": "torchmetrics has no weighted AUC",
        },
        notes=(
            "The number for predictions over the whole catalogue; given only the list, torchmetrics takes for"
            " relevant what the list holds. empty_target_action is neg. A score of 0 or below counts as not"
            " retrieved there (but for hit rate, R-precision and NDCG), so that log-probabilities score 0;"
            " here every listed item is. NDCG averages over ties and needs the model's scores; a list without"
            " ties has the same value under ties=order. Other metrics break ties in no specified order."
        ),
    ),
}


def preset(name: str) -> Preset:
    """One library's definitions.

    Raises
    ------
    UsageError
        When there is none of that name.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise UsageError(f"unknown preset '{name}'{did_you_mean(name, PRESETS)} (known: {known})")
    return PRESETS[name]


def under(name: str, metric: str, cutoff: str, written: Mapping[str, str]) -> str:
    """The spelling of ``metric`` under a preset.

    Parameters
    ----------
    name
        Preset.
    metric, cutoff
        Plain name, and ``"@10"`` or nothing.
    written
        Parameters that were written beside it; only those that the preset leaves open.

    >>> under("recommenders", "map", "@10", {"view": "filtered"})
    'map(denominator=relevant,no_list=exclude,view=filtered)@10'
    """
    found = preset(name)
    if metric in found.refused:
        raise UsageError(f"preset '{name}' cannot give '{metric}': {found.refused[metric]}")
    if metric not in found.metrics:
        raise UsageError(
            f"preset '{name}' does not define '{metric}'{did_you_mean(metric, found.metrics)}"
            f" (it defines: {', '.join(found.metrics)})"
        )
    head, _, inside = found.metrics[metric].partition("(")
    fixed = dict(part.split("=") for part in inside.rstrip(")").split(",") if part)
    for parameter, value in written.items():
        if fixed.get(parameter, value) != value:
            raise UsageError(
                f"preset '{name}' means {found.metrics[metric]} by '{metric}', which {parameter}={value}"
                " contradicts; leave out one of the two"
            )
    both = ",".join(f"{key}={value}" for key, value in {**fixed, **written}.items())
    return f"{head}{f'({both})' if both else ''}{cutoff}"
