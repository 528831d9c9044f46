"""Local files: written whole or not at all, their names, the places of a home, the room on the disk."""
