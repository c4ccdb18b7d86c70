"""Metrics by name: built in, installed by another package, or ``module:attr``."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import Registry, load_object
from genrec_eval.metrics.base import Family, Metric
from genrec_eval.metrics.spelling import SPELLING, bind, parts_of

METRICS = Registry(
    "metric",
    {
        "recall": "genrec_eval.metrics.accuracy:recall",
        "precision": "genrec_eval.metrics.accuracy:precision",
        "f1": "genrec_eval.metrics.accuracy:f1",
        "hit_rate": "genrec_eval.metrics.accuracy:hit_rate",
        "r_precision": "genrec_eval.metrics.accuracy:r_precision",
        "mrr": "genrec_eval.metrics.precision_at_hits:mrr",
        "map": "genrec_eval.metrics.precision_at_hits:average_precision",
        "bpref": "genrec_eval.metrics.precision_at_hits:bpref",
        "ndcg": "genrec_eval.metrics.ndcg:ndcg",
        "auc": "genrec_eval.metrics.auc:auc",
        "gauc": "genrec_eval.metrics.auc:gauc",
        "rmse": "genrec_eval.metrics.ratings:rmse",
        "mae": "genrec_eval.metrics.ratings:mae",
        "missing_ratings": "genrec_eval.metrics.ratings:missing_ratings",
        "coverage": "genrec_eval.metrics.coverage:Coverage",
        "popularity": "genrec_eval.metrics.popularity:popularity",
        "popularity_lift": "genrec_eval.metrics.popularity:popularity_lift",
        "long_tail": "genrec_eval.metrics.popularity:long_tail",
        "novelty": "genrec_eval.metrics.popularity:novelty",
        "gini": "genrec_eval.metrics.concentration:Gini",
        "entropy": "genrec_eval.metrics.concentration:Entropy",
        "entropy_over_time": "genrec_eval.metrics.over_time:EntropyOverTime",
        "ild": "genrec_eval.metrics.diversity:ild",
        "serendipity": "genrec_eval.metrics.serendipity:serendipity",
        "unexpectedness": "genrec_eval.metrics.serendipity:unexpectedness",
        "calibration": "genrec_eval.metrics.calibration:calibration",
        "exposure": "genrec_eval.metrics.exposure:exposure",
        "unlabelled": "genrec_eval.metrics.exposure:unlabelled",
        "exposure_gap": "genrec_eval.metrics.grouped.providers:exposure_gap",
        "exposure_ratio": "genrec_eval.metrics.grouped.providers:exposure_ratio",
        "exposure_divergence": "genrec_eval.metrics.grouped.providers:exposure_divergence",
        "attention_per_merit": "genrec_eval.metrics.grouped.providers:attention_per_merit",
        "pairwise_accuracy_gap": "genrec_eval.metrics.grouped.pairwise:pairwise_accuracy_gap",
        "page_ndcg": "genrec_eval.metrics.pages:page_ndcg",
        "first_row": "genrec_eval.metrics.pages:first_row",
        "row_coherence": "genrec_eval.metrics.pages:row_coherence",
        "jaccard": "genrec_eval.metrics.sets:jaccard",
        "complete": "genrec_eval.metrics.sets:complete",
        "expected_recall": "genrec_eval.metrics.sampled:recall",
        "expected_ndcg": "genrec_eval.metrics.sampled:ndcg",
        "expected_map": "genrec_eval.metrics.sampled:average_precision",
        "expected_mrr": "genrec_eval.metrics.sampled:mrr",
        "expected_hit_rate": "genrec_eval.metrics.sampled:hit_rate",
        "invalid": "genrec_eval.metrics.validity:invalid",
        "duplicate": "genrec_eval.metrics.validity:duplicate",
        "seen": "genrec_eval.metrics.validity:seen",
        "short": "genrec_eval.metrics.validity:short",
        "collision": "genrec_eval.metrics.validity:collision",
        "outside": "genrec_eval.metrics.validity:outside",
        "usable": "genrec_eval.metrics.validity:usable",
        "answer_rate": "genrec_eval.metrics.answers:answer_rate",
        "refusal_rate": "genrec_eval.metrics.answers:refusal_rate",
        "parse_failure_rate": "genrec_eval.metrics.answers:parse_failure_rate",
        "latency": "genrec_eval.metrics.answers:latency",
        "list_length": "genrec_eval.metrics.answers:list_length",
        "group_gap": "genrec_eval.metrics.grouped.gap:group_gap",
        "group_ratio": "genrec_eval.metrics.grouped.gap:group_ratio",
        "group_difference": "genrec_eval.metrics.grouped.gap:group_difference",
        "demographic_parity": "genrec_eval.metrics.grouped.parity:demographic_parity",
        "equal_opportunity": "genrec_eval.metrics.grouped.parity:equal_opportunity",
        "equalised_odds": "genrec_eval.metrics.grouped.parity:equalised_odds",
        "differential_fairness": "genrec_eval.metrics.grouped.differential:differential_fairness",
        "differential_fairness_amplification": (
            "genrec_eval.metrics.grouped.differential:differential_fairness_amplification"
        ),
        "neutral_similarity": "genrec_eval.metrics.sensitivity.to_neutral:neutral_similarity",
        "neutral_noise": "genrec_eval.metrics.sensitivity.to_neutral:neutral_noise",
        "arm_similarity": "genrec_eval.metrics.sensitivity.otherwise:arm_similarity",
        "relative_similarity": "genrec_eval.metrics.sensitivity.to_neutral:relative_similarity",
        "preference_alignment": "genrec_eval.metrics.sensitivity.to_neutral:preference_alignment",
        "snsr": "genrec_eval.metrics.sensitivity.between_values:snsr",
        "snsv": "genrec_eval.metrics.sensitivity.between_values:snsv",
        "snsr_excess": "genrec_eval.metrics.sensitivity.between_values:snsr_excess",
        "quadrant": "genrec_eval.metrics.sensitivity.quadrants:quadrant",
        "tied": "genrec_eval.metrics.score_order:tied",
        "misordered": "genrec_eval.metrics.score_order:misordered",
        "future": "genrec_eval.metrics.leakage:future",
        "peeking": "genrec_eval.metrics.leakage:peeking",
        "mean_outcome": "genrec_eval.metrics.experiment:mean_outcome",
        "effect": "genrec_eval.metrics.experiment:effect",
        "lift": "genrec_eval.metrics.experiment:lift",
        "cuped_effect": "genrec_eval.metrics.experiment:cuped_effect",
        "before_effect": "genrec_eval.metrics.experiment:before_effect",
        "sample_ratio": "genrec_eval.metrics.experiment:SampleRatio",
        "bleu": "genrec_eval.metrics.text.bleu:bleu",
        "chrf": "genrec_eval.metrics.text.chrf:chrf",
        "rouge": "genrec_eval.metrics.text.rouge:rouge",
        "peter_rouge": "genrec_eval.metrics.text.peter_rouge:peter_rouge",
        "meteor": "genrec_eval.metrics.text.meteor:meteor",
        "distinct": "genrec_eval.metrics.text.distinct:Distinct",
        "usr": "genrec_eval.metrics.text.uniqueness:Usr",
        "opening_share": "genrec_eval.metrics.text.uniqueness:OpeningShare",
        "self_bleu": "genrec_eval.metrics.text.self_bleu:SelfBleu",
        "repetition": "genrec_eval.metrics.text.repetition:repetition",
        "length": "genrec_eval.metrics.text.length:length",
        "readability": "genrec_eval.metrics.text.readability:readability",
        "foreign_script": "genrec_eval.metrics.text.script:foreign_script",
        "perplexity": "genrec_eval.metrics.text.perplexity:perplexity",
        "bits_per_byte": "genrec_eval.metrics.text.perplexity:bits_per_byte",
        "embedding_similarity": "genrec_eval.metrics.text.embeddings:embedding_similarity",
        "embedding_diversity": "genrec_eval.metrics.text.embeddings:EmbeddingDiversity",
        "bertscore": "genrec_eval.metrics.text.bertscore:bertscore",
        "evaluate": "genrec_eval.metrics.huggingface.named:EvaluateMetric",
        "stopped_for_harm": "genrec_eval.metrics.experiment:StoppedForHarm",
        "win_rate": "genrec_eval.metrics.judged.win_rate:win_rate",
        "controlled_win_rate": "genrec_eval.metrics.judged.controlled:controlled_win_rate",
        "human_agreement": "genrec_eval.metrics.judged.people:human_agreement",
        "corrected": "genrec_eval.metrics.judged.people:corrected",
        "covariate_effect": "genrec_eval.metrics.judged.controlled:covariate_effect",
        "rubric_score": "genrec_eval.metrics.judged.scores:rubric_score",
        "claim_support": "genrec_eval.metrics.judged.scores:claim_support",
        "claim_recall": "genrec_eval.metrics.judged.scores:claim_recall",
        "judge_rank": "genrec_eval.metrics.judged.scores:judge_rank",
        "panel_agreement": "genrec_eval.metrics.judged.scores:panel_agreement",
        "judge_accuracy": "genrec_eval.metrics.judged.against_people:judge_accuracy",
        "judge_precision": "genrec_eval.metrics.judged.against_people:judge_precision",
        "judge_recall": "genrec_eval.metrics.judged.against_people:judge_recall",
        "judge_f1": "genrec_eval.metrics.judged.against_people:judge_f1",
        "judge_kappa": "genrec_eval.metrics.judged.against_people:judge_kappa",
        "positional_agreement": "genrec_eval.metrics.judged.with_itself:positional_agreement",
        "order_kappa": "genrec_eval.metrics.judged.with_itself:order_kappa",
        "first_share": "genrec_eval.metrics.judged.with_itself:first_share",
        "repeat_agreement": "genrec_eval.metrics.judged.with_itself:repeat_agreement",
        "repeat_deviation": "genrec_eval.metrics.judged.with_itself:repeat_deviation",
        "repeat_alpha": "genrec_eval.metrics.judged.with_itself:repeat_alpha",
        "no_verdict": "genrec_eval.metrics.judged.reading:no_verdict",
        "read_as_recorded": "genrec_eval.metrics.judged.reading:read_as_recorded",
        "recorded_score": "genrec_eval.metrics.judged.reading:recorded_score",
        "win_rate_error": "genrec_eval.metrics.judged.alpaca:win_rate_error",
        "published_length_control": "genrec_eval.metrics.judged.alpaca:published_length_control",
        "length_control": "genrec_eval.metrics.judged.alpaca:length_control",
        "probe_accuracy": "genrec_eval.metrics.judged.probes:probe_accuracy",
        "position_consistency": "genrec_eval.metrics.judged.probes:position_consistency",
        "first_slot_share": "genrec_eval.metrics.judged.probes:first_slot_share",
        "verbosity_preference": "genrec_eval.metrics.judged.probes:verbosity_preference",
        "injection_success": "genrec_eval.metrics.judged.probes:injection_success",
        "ladder_correlation": "genrec_eval.metrics.judged.probes:ladder_correlation",
        "tie_on_identical": "genrec_eval.metrics.judged.probes:tie_on_identical",
        "parse_failure": "genrec_eval.metrics.judged.probes:parse_failure",
        "repeat_stability": "genrec_eval.metrics.judged.probes:repeat_stability",
        "supported": "genrec_eval.metrics.explanations.claims:supported",
        "contradicted": "genrec_eval.metrics.explanations.claims:contradicted",
        "not_in_source": "genrec_eval.metrics.explanations.claims:not_in_source",
        "fabricated_history": "genrec_eval.metrics.explanations.claims:fabricated_history",
        "claims": "genrec_eval.metrics.explanations.claims:claims",
        "fact_recall": "genrec_eval.metrics.explanations.claims:fact_recall",
        "fmr": "genrec_eval.metrics.explanations.features:fmr",
        "fcr": "genrec_eval.metrics.explanations.features:Fcr",
        "div": "genrec_eval.metrics.explanations.features:Div",
        "no_feature": "genrec_eval.metrics.explanations.features:no_feature",
        "preference_consistency": "genrec_eval.metrics.explanations.preference:preference_consistency",
        "counterfactual": "genrec_eval.metrics.explanations.counterfactual:counterfactual",
        "swap_fit": "genrec_eval.metrics.explanations.counterfactual:swap_fit",
        "swap_margin": "genrec_eval.metrics.explanations.counterfactual:swap_margin",
        "paraphrase_stability": "genrec_eval.metrics.explanations.counterfactual:paraphrase_stability",
        "sensitive_mentions": "genrec_eval.metrics.explanations.sensitive:sensitive_mentions",
        "flattery": "genrec_eval.metrics.explanations.style:flattery",
        "superlatives": "genrec_eval.metrics.explanations.style:superlatives",
        "urgency": "genrec_eval.metrics.explanations.style:urgency",
        "orders_to_judge": "genrec_eval.metrics.explanations.style:orders_to_judge",
        "padding": "genrec_eval.metrics.explanations.style:padding",
        "tone": "genrec_eval.metrics.explanations.sentiment:tone",
        "value_gap": "genrec_eval.metrics.explanations.disclosed:value_gap",
        "value_difference": "genrec_eval.metrics.explanations.disclosed:value_difference",
        "text_similarity": "genrec_eval.metrics.explanations.alike:text_similarity",
        "text_noise": "genrec_eval.metrics.explanations.alike:text_noise",
        "relative_text_similarity": "genrec_eval.metrics.explanations.alike:relative_text_similarity",
        "text_similarity_gap": "genrec_eval.metrics.explanations.alike:text_similarity_gap",
        "text_similarity_difference": "genrec_eval.metrics.explanations.alike:text_similarity_difference",
        "sentiment_gap": "genrec_eval.metrics.explanations.sentiment:sentiment_gap",
        "aspect_coverage": "genrec_eval.metrics.explanations.summaries:aspect_coverage",
        "minority_recall": "genrec_eval.metrics.explanations.summaries:minority_recall",
        "contradicts_majority": "genrec_eval.metrics.explanations.summaries:contradicts_majority",
        "review_support": "genrec_eval.metrics.explanations.summaries:review_support",
        "unsupported_sentences": "genrec_eval.metrics.explanations.summaries:unsupported_sentences",
        "summary_sentiment_gap": "genrec_eval.metrics.explanations.summaries:summary_sentiment_gap",
        "leaked_names": "genrec_eval.metrics.explanations.private_names:leaked_names",
        "context_relevance": "genrec_eval.metrics.explanations.retrieved:context_relevance",
        "context_precision": "genrec_eval.metrics.explanations.retrieved:context_precision",
        "context_recall": "genrec_eval.metrics.explanations.retrieved:context_recall",
        "answer_faithfulness": "genrec_eval.metrics.explanations.retrieved:answer_faithfulness",
        "answer_relevance": "genrec_eval.metrics.explanations.retrieved:answer_relevance",
        "noise_sensitivity": "genrec_eval.metrics.explanations.retrieved:noise_sensitivity",
    },
    group="genrec_eval.metrics",
)


def metric(
    spelling: str, base: Path | None = None, *, preset: str | None = None, bare: bool = False
) -> Metric:
    """Read a metric as a suite spells it.

    Parameters
    ----------
    spelling
        ``"recall@10"``, ``"ndcg(ideal=all)@10"``, ``"my_metrics.py:first_hit@10"``; with
        ``"map(preset=recbole)@10"`` another library's definition, see :mod:`genrec_eval.metrics.presets`.
    base
        Folder that relative file paths are resolved against; the working folder by default.
    preset
        The library whose definition is meant, for a spelling that names none.
    bare
        Read a name alone, to tell of it, though the metric has parameters that must be given.

    Raises
    ------
    UsageError
        When the name, a parameter, a value or the cutoff is wrong.

    >>> metric("recall(denominator=min)@5").definition_id
    'recall(denominator=min,no_list=zero,no_truth=exclude,ties=order,view=generated)@5'
    >>> metric("map@10", preset="trec").id
    'map(denominator=relevant,no_list=exclude)@10'
    """

    spelling = _resolved(spelling, preset)

    def lookup(name: str) -> Family:
        found = load_object(name, base) if ":" in name else METRICS.get(name)
        if not isinstance(found, Family):
            raise UsageError(
                f"metric '{name}' is not a metric: decorate it with genrec_eval.metrics.base.define"
            )
        own = found.definition.name
        if ":" in name and own in METRICS.names() and METRICS.get(own) is not found:
            raise UsageError(f"metric '{name}' is defined under the name '{own}', which is taken; rename it")
        return found

    return bind(spelling, lookup, bare=bare)


def _resolved(spelling: str, preset: str | None) -> str:
    """The spelling without its preset, all parameters of the preset written out."""
    from genrec_eval.metrics.presets import under

    match = SPELLING.fullmatch(spelling.strip())
    if match is None or (preset is None and "preset" not in (match["parameters"] or "")):
        return spelling
    written: dict[str, str] = {}
    for name, value in parts_of(match["parameters"]):
        if name in written:
            raise UsageError(f"metric '{spelling}' gives {name} twice")
        written[name] = value
    named = written.pop("preset", preset)
    if named is None:
        return spelling
    return under(named, match["name"], f"@{match['k']}" if match["k"] else "", written)
