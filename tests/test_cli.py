import pytest
from typer.testing import CliRunner

from faceswap.cli import app, consents, pairs
from faceswap.errors import ConsentError, SettingsError


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


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
        (["people", "--name", "nobody"], "not of the cast"),
    ],
)
def test_wrong_words_get_a_clear_message_and_exit_1(words: list[str], said: str) -> None:
    code, output = run(*words)
    assert code == 1
    assert said in output.replace("\n", " ")
    assert "Traceback" not in output


def test_help_lists_the_commands() -> None:
    code, output = run("--help")
    assert code == 0
    for command in ("demo", "run", "preprocess", "train", "evaluate", "swap", "inspect", "people", "models"):
        assert command in output


def test_models_of_an_empty_registry() -> None:
    code, output = run("models", "--json")
    assert code == 0
    assert output.strip().endswith("[]")


def test_pairs_and_consents() -> None:
    assert pairs(["a=x=y", "b=z"], "PATH") == {"a": "x=y", "b": "z"}
    assert consents(["all signed", "b=CC0"], ["a", "b"]) == {"a": "all signed", "b": "CC0"}
    with pytest.raises(SettingsError, match="Several consents"):
        consents(["one", "two"], ["a", "b"])
    with pytest.raises(ConsentError):
        consents([], ["a"])
