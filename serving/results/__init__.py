"""What becomes of a swap: its files, its record, its measures."""
