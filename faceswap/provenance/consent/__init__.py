"""Consent: its record, its events, its life, and what there is of a person."""
