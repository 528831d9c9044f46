"""The search for good settings as a job."""
