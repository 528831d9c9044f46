"""Where a likeness comes from and where it goes: consent, labels, metadata."""
