"""How steps are computed: one protocol, an engine a file."""
