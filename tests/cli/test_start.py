"""What the command line may import before it knows that its words are good; help that reads well."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faceswap.cli import _COMMANDS, _load
from faceswap.cli.options import cast_names
from faceswap.synthetic import CAST, HARD_CAST

_HEAVY = ("tensorflow", "keras", "mlflow", "prefect", "cv2", "gradio", "dlib", "av", "pandas", "httpx")
_SCRIPT = """
import json, sys
from faceswap.cli import app
found = []
for words in json.loads(sys.argv[1]):
    try:
        app(words, prog_name="faceswap")
    except SystemExit as end:
        code = end.code
    found.append([code, [name for name in json.loads(sys.argv[2]) if name in sys.modules]])
sys.stdout.write("\\n" + json.dumps(found))
"""
_WRONG = [
    ["swpa"],
    ["swap", "nowhere.png", "--reference", "ada", "--out", "x.png"],
    ["swap", "PICTURE", "--reference", "ada", "--out", "x.png", "--mask", "hul"],
    ["swap", "PICTURE", "--reference", "ada", "--out", "x.png", "--lips", "2"],
    ["swap", "PICTURE", "--reference", "ada", "--out", "x.png", "--max-yaw", "0"],
    ["swap", "PICTURE", "--reference", "ada", "--reference", "ben", "--out", "x.png"],
    ["swap", "PICTURE", "--reference", "ada:nowhere.jpg", "--out", "x.png"],
    ["preprocess", "nowhere.mp4", "--name", "ada", "--consent", "signed"],
    ["preprocess", "PICTURE", "--name", "a/b", "--consent", "signed"],
    ["train", "nobody", "no-one"],
    ["train", "nobody", "--minutes", "1", "--steps", "2"],
    ["train", "nobody", "--preset", "lit"],
    ["tune", "nobody", "--space", "nowhere.yaml"],
    ["evaluate", "ada", "--target", "nobody"],
    ["promote", "ada", "--to", "producton"],
    ["run", "a=nowhere.mp4", "b=PICTURE", "--consent", "signed"],
    ["people", "--name", "emerik"],
    ["inspect", "nowhere.png"],
]


def after(words: list[list[str]], home: Path) -> tuple[str, list[tuple[int, list[str]]]]:
    """What a process says to each command line in turn; exit codes, and the heavy modules that it has by then."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(words), json.dumps(_HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "FACESWAP_HOME": str(home), "COLUMNS": "200"},
    )
    return done.stdout + done.stderr, json.loads(done.stdout.rsplit("\n", 1)[1])


def test_trivial_errors_import_nothing_heavy(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "[x] y.png"
    picture.touch()
    words = [[word.replace("PICTURE", str(picture)) for word in line] for line in _WRONG]
    said, found = after(words, home)
    for line, (code, heavy) in zip(_WRONG, found, strict=True):
        assert code in {1, 2}, (line, said)
        assert heavy == [], (line, said)
    assert "Traceback" not in said


def test_help_of_every_command_imports_nothing_heavy(home: Path) -> None:
    said, found = after([["--help"], ["--version"], *([name, "-h"] for name in _COMMANDS)], home)
    assert [code for code, _ in found] == [0] * len(found), said
    assert found[-1][1] == []
    assert "faceswap 0." in said


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_help_fits_80_columns_and_describes_every_option(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = _load(name)
    with pytest.raises(SystemExit):
        command(["--help"], prog_name="faceswap")
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert [one.name for one in command.params if not one.help] == []


def test_defaults_and_choices_are_those_of_the_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        _load("swap")(["--help"], prog_name="faceswap")
    shown = capsys.readouterr().out
    for text in ("[default: 0.4]", "[default: light]", "[-0.2<=x<=0.3]", "light, skin, none"):
        assert text in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["swpa"], "Did you mean 'swap'?"),
        (["people", "--name", "emerik"], "Did you mean emeric?"),
        (["train", "x", "--preset", "hd258"], "Did you mean hd256?"),
        (["swap", "x", "--reference", "a", "--out", "b", "--colour", "lihgt"], "Did you mean light?"),
        (["train", "x", "--minuets", "3"], "--minutes"),
    ],
)
def test_a_misspelt_word_gets_the_one_that_is_meant(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from faceswap.cli import app

    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        app(words, prog_name="faceswap")
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_the_names_of_the_cast_are_known_without_the_renderer() -> None:
    assert cast_names() == [one.name for one in (*CAST, *HARD_CAST)]


def test_completion_of_commands_and_choices() -> None:
    for words, word in (("faceswap s", "swap"), ("faceswap swap --mask h", "hull_rect")):
        done = subprocess.run(
            [sys.executable, "-c", "from faceswap.cli import app; app(prog_name='faceswap')"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                **os.environ,
                "_FACESWAP_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
            },
        )
        assert word in done.stdout.split(), done
