"""Question sets, measures, uncertainty and verdicts: scores of hits against judged ranges of the source."""
