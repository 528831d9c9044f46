"""Chatty libraries say nothing while they are imported, and their errors still come."""

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from faceswap.cli.quiet_imports import silence_imports
silence_imports()
silence_imports()
sys.stderr.write("before;")
import tensorflow
import tensorflow.part
sys.stderr.write(f"{tensorflow.VALUE} {tensorflow.part.VALUE};")
import keras
"""


def test_noise_of_an_import_is_not_seen_its_error_is(tmp_path: Path) -> None:
    noise = "import os\nos.write(2, b'NOISE')\n"
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text(noise + "VALUE = 1\n")
    (package / "part.py").write_text("VALUE = 2\n")
    (tmp_path / "keras.py").write_text(noise + "raise ImportError('keras is broken')\n")
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr.startswith("before;1 2;")
    assert "NOISE" not in done.stderr.replace("b'NOISE'", "")
    assert done.stderr.rstrip().endswith("ImportError: keras is broken")
