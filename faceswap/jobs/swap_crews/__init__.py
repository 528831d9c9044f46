"""Who swaps the pieces of a batch: workers of a cluster, or several processes of this machine."""
