"""The synthetic world: users, films, drifting tastes, with known truth."""
