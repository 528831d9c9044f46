"""``python -m infra.wait_for mlflow prefect -- COMMAND…``: runs a command once servers answer."""

import os
import sys
import time

from infra.services import services

_PATIENCE = 240.0


def main() -> None:
    """Wait, then become the command; exits with a message if a server does not answer in time."""
    split = sys.argv.index("--")
    names, command = sys.argv[1:split], sys.argv[split + 1 :]
    deadline = time.monotonic() + _PATIENCE
    for name in names:
        while not services()[name].healthy():
            if time.monotonic() > deadline:
                sys.exit(f"{name} does not answer at {services()[name].url} after {_PATIENCE:.0f} s")
            time.sleep(0.5)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
