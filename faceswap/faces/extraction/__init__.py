"""Extraction: media in, a face set out."""
