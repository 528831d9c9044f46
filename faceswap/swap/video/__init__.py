"""Videos: stages in threads, chunks that survive a kill."""
