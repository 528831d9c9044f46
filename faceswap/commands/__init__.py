"""The commands of the command line, a module for each group; ``faceswap.cli`` assembles them."""
