"""Everything on one machine: the processes, their health, and what an installation needs."""
