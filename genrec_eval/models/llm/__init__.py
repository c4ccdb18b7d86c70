"""An LLM as a recommender: prompt template → chat → parse → ground to the catalogue."""
