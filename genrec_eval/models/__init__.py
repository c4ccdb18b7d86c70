"""Adapters: python, openai, http, process, replay, and the LLM-as-recommender wrapper."""
