"""Measures of a swap and the reports that show them."""
