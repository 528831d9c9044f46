"""What the numbers of an evaluation mean: the table of measures, gates, verdicts, findings in words."""
