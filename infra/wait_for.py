"""``python -m infra.wait_for mlflow prefect? -- COMMAND…``: runs a command once servers answer.

One with a question mark is waited for a while only: the command works without it, too.
"""

import os
import sys
import time

from infra.services import services

_PATIENCE, _PATIENCE_WITHOUT = 480.0, 90.0


def main() -> None:
    """Wait, then become the command; exits with a message if a server does not answer in time."""
    split = sys.argv.index("--")
    names, command = sys.argv[1:split], sys.argv[split + 1 :]
    began = time.monotonic()
    for word in names:
        name, needed = word.rstrip("?"), not word.endswith("?")
        patience = _PATIENCE if needed else _PATIENCE_WITHOUT
        while not services()[name].healthy():
            if time.monotonic() - began > patience:
                said = f"{name} does not answer at {services()[name].url} after {patience:.0f} s"
                if needed:
                    sys.exit(said)
                sys.stderr.write(f"{said}; going on without\n")
                break
            time.sleep(0.5)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
