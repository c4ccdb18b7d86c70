"""What comparisons and gates read: the scores of a run, or of a baseline that was kept of one."""
