"""Compositing: the generated face laid into the frame: shape, colour, detail, blend."""
