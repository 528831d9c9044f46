"""Bars on a terminal, lines in a pipe."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from faceswap.output import progress
from faceswap.output.progress import bar, clock, told

_WORK = """
import time
from faceswap.cli.common import quiet_imports, spoken_errors
with spoken_errors():
    with quiet_imports():
        from faceswap.output.progress import bar
    with bar("faces of [ada]", "frames") as report:
        for done in range(9):
            report(done, 8, "clip [dQw4].mp4")
            time.sleep(0.15)
"""


def on_a_terminal(*command: str, columns: int = 80) -> str:
    """What the command shows on a terminal of its own, without colours and cursor movements."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "24"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    text = shown.decode()
    assert process.returncode == 0, text
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_terminal_shows_a_bar_with_share_rate_and_time_left() -> None:
    shown = on_a_terminal(sys.executable, "-c", _WORK)
    lines = re.split(r"[\r\n]+", shown)
    moving = [line for line in lines if re.search(r" (25|38|50|62|75|88) % ", line)]
    assert moving, shown
    assert any(re.search(r"[0-9.]+ frames/s +[0-9]+:[0-9]{2} left", line) for line in moving), moving
    assert all(line.startswith("faces of [ada]") for line in moving)
    assert any("clip [d" in line for line in moving)
    assert any("━" in line for line in moving)
    assert max(map(len, lines)) <= 80
    assert "100 %" in lines[-2]


def test_a_command_shows_its_bar(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "faceswap.cli", "people", "--name", "ada", "--pictures", "--count", "20"]
    shown = on_a_terminal(*command, "--size", "64", "--out", str(tmp_path))
    assert "render 1 people" in shown
    assert "100 %" in shown
    assert len(list((tmp_path / "ada").glob("*.png"))) == 20


def test_a_pipe_gets_lines_and_no_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
    with bar("swap [x]", "frames") as report:
        report(1, 4, "ada [y]")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["swap [x]: 25 % after 0:00, 0:00 left; ada [y]", "swap [x]: done in 0:00"]


def test_how_far_in_words() -> None:
    assert told(40, 100, 80) == "40 % after 1:20, 2:00 left"
    assert told(0, 100, 80) == "0 % after 1:20"
    assert told(100, 100, 80) == "100 % after 1:20"
    assert told(7, None, 3700) == "7 after 1:01:40"
    assert [clock(s) for s in (0, 59.6, 3599.4, 3600)] == ["0:00", "1:00", "59:59", "1:00:00"]
