"""What reaches the terminal: names word for word, replacements where the encoding lacks a character."""

import io
import os
import sys

import pytest

from faceswap.output.console import make_streams_lenient, printable, remark, say


def written(text: str, encoding: str) -> bytes:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    make_streams_lenient(stream)
    stream.write(text)
    stream.flush()
    return raw.getvalue()


@pytest.mark.parametrize("name", ["Video [dQw4].mp4", "[bold]x[/]", "[/]", ":smile:.png", "a\\[b]", "[red"])
def test_names_are_never_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"Written: {name}")
    remark(f"{name} is bad")
    assert capsys.readouterr() == (f"Written: {name}\n", f"{name} is bad\n")


def test_long_lines_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    say("x " * 300)
    assert capsys.readouterr().out.count("\n") == 1


def test_control_characters_of_a_name_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb\rc\x07")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\rc\\x07\n"
    assert printable("zoë\n\t李") == "zoë\n\t李"


def test_a_terminal_without_a_character_gets_a_replacement() -> None:
    assert written("→ a…b – ✓ 3° zoë 李", "ascii") == b"-> a...b - + 3o zoe ?"
    assert written("zoë →", "latin-1") == "zoë ->".encode("latin-1")
    assert written("zoë → 李", "utf-8") == "zoë → 李".encode()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_no_utf_8_comes_out_as_its_bytes(encoding: str) -> None:
    name = os.fsdecode(b"f\xff\xe4.jpg")
    assert written(f"Written: {name}", encoding) == b"Written: f\xff\xe4.jpg"


def test_a_lone_surrogate_that_stands_for_no_byte_is_replaced() -> None:
    assert written("a\ud800b", "utf-8") == b"a?b"


def test_streams_that_are_no_text_files_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    make_streams_lenient()
