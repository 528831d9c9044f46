import os
import subprocess
import sys

import pytest

from faceswap.cli.commands.swap import roles
from faceswap.cli.common import consents, pairs
from faceswap.errors import ConsentError, SettingsError


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command in a process of its own."""
    command = [sys.executable, "-m", "faceswap.cli", *words]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "a=x", "a=y", "--consent", "signed"], "given twice"),
        (["run", "a=x", "b", "--consent", "signed"], "is not NAME=PATH"),
        (["run", "a=x", "b=y"], "No consent is recorded for 'a'"),
        (["run", "a=x", "b=y", "--consent", "a=signed"], "No consent is recorded for 'b'"),
        (["run", "a=x", "--consent", "signed"], "One person alone"),
        (["run", "a=x", "b=y", "--consent", "signed", "--reference-photos", "c=p.jpg"], "names none of a, b"),
        (["train"], "No face sets"),
        (["inspect", "/nowhere/a.png"], "There is no file"),
    ],
)
def test_wrong_words_get_a_clear_message_and_exit_1(words: list[str], said: str) -> None:
    code, _, errors = run(*words)
    assert code == 1
    assert said in errors.replace("\n", " ")
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FACESWAP_WORKERS", "many", "valid integer"),
        ("FACESWAP_LOG_LEVEL", "loud", "'WARNING'"),
        ("FACESWAP_S3_ENDPOINT_URL", "minio:9000", "begins with http:// or https://"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    code, _, errors = run("models")
    assert code == 1
    assert name in errors
    assert value in errors
    assert said in errors
    assert "Traceback" not in errors


def test_help_lists_the_commands() -> None:
    code, output, _ = run("--help")
    assert code == 0
    commands = ("demo", "run", "preprocess", "train", "evaluate", "swap", "inspect", "people", "models")
    for command in (*commands, "promote", "rollback"):
        assert command in output


def test_models_of_an_empty_registry() -> None:
    code, output, _ = run("models", "--json")
    assert code == 0
    assert output.strip() == "[]"


def test_pairs_and_consents() -> None:
    assert pairs(["a=x=y", "b=z"], "PATH") == {"a": "x=y", "b": "z"}
    assert consents(["all signed", "b=CC0"], ["a", "b"]) == {"a": "all signed", "b": "CC0"}
    with pytest.raises(SettingsError, match="Several consents"):
        consents(["one", "two"], ["a", "b"])
    with pytest.raises(ConsentError):
        consents([], ["a"])


def test_references_with_and_without_a_photo() -> None:
    assert roles(["ada"], "") == {"reference": "ada", "match": "", "others": []}
    assert roles(["ada/3", "bram@production:b.jpg"], "") == {
        "reference": "ada/3",
        "match": "",
        "others": [{"reference": "bram@production", "photo": "b.jpg"}],
    }
    assert roles(["ada:a.jpg", "bram:C:/b.jpg"], "") == {
        "reference": "ada",
        "match": "a.jpg",
        "others": [{"reference": "bram", "photo": "C:/b.jpg"}],
    }
    with pytest.raises(SettingsError, match="for everybody: ada, bram"):
        roles(["ada", "bram"], "")
    with pytest.raises(SettingsError, match="NAME:PHOTO"):
        roles(["ada:"], "")
    with pytest.raises(SettingsError, match="--match"):
        roles(["ada:a.jpg"], "b.jpg")
