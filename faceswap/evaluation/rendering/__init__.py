"""Pictures and reports of an evaluation."""
