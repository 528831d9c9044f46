"""Jobs that keep the house: consent and its end, erasure, garbage collection."""
