"""Compositing: the generated face enters the frame: shape, colour, detail, blend."""
