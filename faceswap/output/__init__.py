"""What is told to people: on a terminal, in bars and log lines, to a webhook, and never with a password."""
