"""The tables and figures of a run for other tools: csv, parquet, MLflow, Weights & Biases."""
