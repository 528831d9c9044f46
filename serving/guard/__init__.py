"""Who may come in, what an event may name and use, and what is refused."""
