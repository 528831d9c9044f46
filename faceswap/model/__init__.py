"""Architectures, training pairs, losses, training and checkpoints."""
