"""People as judges: blinded sheets out, their answers back in as judgements."""
