"""Prefect flows: thin recipes over the core package ``faceswap``."""
