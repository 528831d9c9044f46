"""Jobs that train networks: decoders, the prior, the masks; and how what was interrupted goes on."""
