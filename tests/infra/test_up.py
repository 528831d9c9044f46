"""What `faceswap up` keeps of what its processes say."""

import datetime as dt
from pathlib import Path

import pytest
from honcho.printer import Message

from infra import up


def said(text: str, name: str = "mlflow") -> Message:
    return Message("line", text, dt.datetime(2026, 3, 1, 12, 0, 5), name, None)


def test_logs_do_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_LOG_BYTES", 1000)
    log = up._Log(tmp_path / "logs", verbose=False)
    for number in range(200):
        log.write(said(f"GET /health {number}\n"))
    log.write(said("zoë →", "app"))
    kept = sorted(tmp_path.joinpath("logs").iterdir())
    assert [file.name for file in kept] == ["app.log", "mlflow.log", "mlflow.log.1", "mlflow.log.2"]
    assert all(file.stat().st_size <= 1000 for file in kept)
    newest = (tmp_path / "logs" / "mlflow.log").read_text()
    assert newest.splitlines()[-1] == "2026-03-01 12:00:05 GET /health 199"
    assert (tmp_path / "logs" / "app.log").read_text(encoding="utf-8") == "2026-03-01 12:00:05 zoë →\n"
    assert list(log.last["mlflow"])[-1] == "GET /health 199"
