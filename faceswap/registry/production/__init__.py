"""Which version is in production, and how it comes there and back."""
