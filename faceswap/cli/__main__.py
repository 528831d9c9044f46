"""``python -m faceswap.cli``."""

from faceswap.cli import app

if __name__ == "__main__":
    app()
