"""What crosses the border to a model: requests, responses, statuses, the Model protocol, the tables."""
