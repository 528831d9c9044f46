"""This process: its threads, its number, what is imported when, and how it reaches servers of this machine."""
