"""What a folder's journal says survives damage to any of its lines."""

from pathlib import Path

import pytest

from faceswap.swap.batch.journal import Journal


@pytest.mark.parametrize("at", range(0, 100, 10))
def test_a_damaged_line_costs_one_file(tmp_path: Path, at: int) -> None:
    journal = Journal(tmp_path)
    for name in ("a", "b", "c"):
        journal.add(name, {"source": f"{name}.png"})
    file = tmp_path / ".swap.jsonl"
    data = bytearray(file.read_bytes())
    at = len(data) * at // 100
    data[at] ^= 0xFF
    file.write_bytes(data)
    known = {name: Journal(tmp_path).known(name) for name in ("a", "b", "c")}
    for name, report in known.items():
        assert report in (None, {"source": f"{name}.png"})
    assert sum(report is None for report in known.values()) <= (2 if data[at] == 0x0A ^ 0xFF else 1)


@pytest.mark.parametrize("content", [b"", bytes(100), b"[]\n1\nnull\n", b'{"key": "a", "report": 3}'])
def test_a_file_that_is_no_journal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".swap.jsonl").write_bytes(content)
    assert Journal(tmp_path).known("a") is None
