"""Loaded by evaluate.load: see genrec_eval.metrics.huggingface."""

from genrec_eval.metrics.huggingface.modules import metric_class

Metric = metric_class("ndcg")
