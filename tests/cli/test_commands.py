"""What commands check before they begin, and how they say what is wrong."""

import os
from pathlib import Path

import pytest
import typer

from faceswap.cli.checks import face_sets_exist, media_exist, recordable
from faceswap.cli.commands.swap import roles
from faceswap.cli.common import pairs, spoken_errors
from faceswap.cli.options import at_home, one_of
from faceswap.errors import FaceSetError, MediaError, SettingsError, did_you_mean
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions


def test_the_word_that_is_meant() -> None:
    cast = ["ada", "Emeric", "fenn"]
    assert did_you_mean("emerik", cast, "list them") == "did you mean Emeric?"
    assert did_you_mean("zzz", cast, "list them") == "list them"
    assert did_you_mean("zzz", []) == ""


def test_paths_below_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert at_home("~/x y.png") == "/home/me/x y.png"
    assert at_home(Path("~/x")) == Path("/home/me/x")
    assert at_home(["~/a", "b~", "s3://c/~/d"]) == ["/home/me/a", "b~", "s3://c/~/d"]
    assert at_home("~no-such-user/x") == "~no-such-user/x"
    assert at_home(None) is None
    assert pairs(["ada=~/x", "ben=y"], "PATH") == {"ada": "/home/me/x", "ben": "y"}
    assert roles(["ada:~/a.jpg"], "") == {"reference": "ada", "match": "/home/me/a.jpg", "others": []}
    monkeypatch.setenv("FACESWAP_FACE_SETS", "~/sets")
    settings.cache_clear()
    assert settings().face_sets_root == "/home/me/sets"


def test_a_path_that_is_nearly_there(tmp_path: Path) -> None:
    (tmp_path / "person [a].mp4").touch()
    media_exist(tmp_path, tmp_path / "person [a].mp4", "s3://bucket/prefix", "")
    with pytest.raises(MediaError, match=r"did you mean person \[a\]\.mp4\?"):
        media_exist(tmp_path / "persn [a].mp4")
    with pytest.raises(MediaError, match="check the path"):
        media_exist(tmp_path / "no" / "such" / "folder")
    with pytest.raises(MediaError, match="can't be read"):
        media_exist("x" * 300)


def test_a_name_that_no_record_can_hold_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"f\xff.png")
    file.touch()
    media_exist(file, recorded=False)
    for check in (media_exist, recordable):
        with pytest.raises(MediaError, match="not UTF-8"):
            check(file)


def test_face_sets_by_name_and_folder(home: Path) -> None:
    place = home / "face-sets" / "emeric" / "0123"
    place.mkdir(parents=True)
    (place / "faceset.json").touch()
    face_sets_exist("emeric", str(place), "s3://bucket/emeric/1")
    with pytest.raises(FaceSetError, match=r"did you mean emeric\?"):
        face_sets_exist("emerik")
    with pytest.raises(FaceSetError, match="faceswap preprocess"):
        face_sets_exist("zoe")


def test_choices_with_suggestions() -> None:
    check = one_of(lambda: ["hull", "ellipse"])
    assert check("hull") == "hull"
    assert check(["hull", "ellipse"]) == ["hull", "ellipse"]
    assert check(None) is None
    with pytest.raises(
        typer.BadParameter, match=r"'elipse' is not one of hull, ellipse. Did you mean ellipse\?"
    ):
        check(["hull", "elipse"])


def test_errors_are_printed_word_for_word(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, spoken_errors():
        raise SettingsError("[bold]Video [dQw4].mp4[/] is bad", "rename [it]")
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == "SettingsError: [bold]Video [dQw4].mp4[/] is bad\n  → rename [it]\n"


def test_what_a_model_refuses_is_said_in_words(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), spoken_errors():
        SwapOptions(mask="hul", lips=2)  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert "mask: Input should be 'extended_hull', " in said
    assert "→ did you mean hull?" in said
    assert "lips: Input should be less than or equal to 1 (got 2)" in said
