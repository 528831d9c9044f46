import json
import logging

import pytest

from faceswap.output.logs import JsonLines, of_run


def test_lines_are_json_with_their_run(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("faceswap.x", logging.WARNING, "f", 1, '%s\n"two"', ("one",), None)
    with of_run("outer"), of_run("inner"):
        line = JsonLines().format(record)
    assert "\n" not in line
    found = json.loads(line)
    assert (found["message"], found["run"], found["level"]) == ('one\n"two"', "inner", "WARNING")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "f1")
    assert json.loads(JsonLines().format(record)) == {
        "time": found["time"],
        "level": "WARNING",
        "logger": "faceswap.x",
        "message": 'one\n"two"',
        "flow_run": "f1",
    }
