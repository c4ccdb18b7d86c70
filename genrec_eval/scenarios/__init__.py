"""One file per family: which cases, how they are played, which metrics and claims."""
