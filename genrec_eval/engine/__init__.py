"""Plan, executors, journal, cache, limits, resume."""
