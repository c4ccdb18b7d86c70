"""How much lists change with what a model is told of a person: one file per family."""
