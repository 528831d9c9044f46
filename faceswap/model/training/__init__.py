"""Training: data, pairs, losses, the loop, checkpoints."""
