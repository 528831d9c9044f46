from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import typer

from faceswap.cli import app as cli
from faceswap.errors import SettingsError, TrackingError
from faceswap.media.images import write_image
from faceswap.registry import Listed
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from serving import html as words
from serving.api import listing, options_of, report
from serving.app import build
from serving.catalogue import State
from serving.lineage import lineage, versions_table
from serving.pages.compare import compare, comparison, version_names
from serving.pages.desk import pickers, version_choices
from serving.pages.options import OptionsForm
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

ROWS = (listed("ada", 2, "challenger"), listed("ada", 1, "production"), listed("ben", 1, "production"))


def hostile(row: Listed) -> Listed:
    return replace(
        row, tags=row.tags | {"consent": "<script>alert(1)</script>", "face_sets": '{"<b>": "<i>"}'}
    )


def test_what_comes_from_outside_is_escaped() -> None:
    row = hostile(ROWS[0])
    for text in (
        lineage(row),
        versions_table(State((row,), "", 1.0)),
        words.note("bad", "<script>", "<img>"),
    ):
        assert "<script>" not in text
        assert "<img>" not in text


def test_lineage_tells_run_face_sets_and_consent() -> None:
    text = lineage(ROWS[1])
    for said in ("ada/1", "production", "run-1", "f" * 12, "fictional (since 2026-01-01)", "0.41"):
        assert said in text


def test_choices_name_the_number_behind_an_alias() -> None:
    state = State(ROWS, "", 1.0)
    assert version_choices(state, "ada") == [
        ("production → 1", "production"),
        ("challenger → 2", "challenger"),
        ("version 2", "2"),
        ("version 1", "1"),
    ]
    assert version_names(state) == [
        "ada@production",
        "ben@production",
        "ada@challenger",
        "ada/2",
        "ada/1",
        "ben/1",
    ]


def test_what_is_chosen_stays_while_it_exists() -> None:
    state = State(ROWS, "", 1.0)
    who, which = pickers(state, "ada", "2")
    assert "value" not in who, "it would undo what the user chooses meanwhile"
    assert "value" not in which
    who, which = pickers(state, "ben", "2")
    assert "value" not in who
    assert which["value"] == "production"
    assert [gone["value"] for gone in pickers(state, "cleo", "7")] == ["ada", "production"]
    assert pickers(State(), None, None)[0]["choices"] == []


def test_an_empty_registry_says_what_to_do() -> None:
    assert "faceswap demo" in words.nothing_registered(State())
    assert "FACESWAP_TRACKING_URI" in words.nothing_registered(State(problem="MLflow is away"))
    assert words.nothing_registered(State(ROWS)) == ""


def test_compare_goes_on_past_what_fails(tmp_path: Path) -> None:
    shop = workshop(MemoryRegistry(*ROWS), KnownFaces(face_at(80, 100, 90)), tmp_path / "out")
    write_image(tmp_path / "a.png", smooth_noise(200, 320))
    made, wrong = compare(shop, str(tmp_path / "a.png"), ["ada@production", "cleo@production", "ben/1"])
    assert [str(one.served.row.version) for one in made] == ["ada/1", "ben/1"]
    assert [name for name, _ in wrong] == ["cleo@production"]
    (other,), _ = compare(shop, str(tmp_path / "a.png"), ["ben/1"], SwapOptions(mask="rect"))
    assert other.options.mask == "rect"
    table = comparison(made, [shop.measure(one) for one in made])
    assert "ada/1" in table
    assert "ben/1" in table


def test_a_report_is_plain_values(tmp_path: Path) -> None:
    shop = workshop(MemoryRegistry(*ROWS), KnownFaces(face_at(80, 100, 90)), tmp_path / "out")
    write_image(tmp_path / "a.png", smooth_noise(200, 320))
    values = report(shop.picture(tmp_path / "a.png", "ada"), shop, measure=True)
    assert values["version"] == "ada/1"
    assert values["measures"]["detected"] == 1
    assert values["lineage"]["run_id"] == "run-1"
    rows = listing(shop.catalogue.state)
    assert [row["version"] for row in rows["versions"]] == ["ada/2", "ada/1", "ben/1"]


@pytest.mark.parametrize("down", [False, True])
def test_the_app_is_built_and_names_its_calls(tmp_path: Path, down: bool) -> None:
    registry = MemoryRegistry(*ROWS)
    registry.down = TrackingError("MLflow is away") if down else None
    shop = workshop(registry, KnownFaces(), tmp_path / "out")
    shop.catalogue.refresh()
    described = build(shop, settings()).get_api_info()["named_endpoints"]
    assert set(described) == {"/swap", "/swap_video", "/compare", "/faces", "/versions"}
    names = [parameter["label"] for parameter in described["/swap"]["parameters"]]
    assert names == ["target", "identity", "version", "face", "measure", "options", "target_consent"]
    optional = [p["label"] for p in described["/swap"]["parameters"] if p["parameter_has_default"]]
    assert {"version", "face", "measure", "options"} <= set(optional)


def test_callers_choose_options_but_not_the_label() -> None:
    defaults = SwapOptions(max_yaw=33)
    made = options_of({"mask": "rect", "reshape": 0.5}, defaults)
    assert (made.mask, made.reshape, made.max_yaw) == ("rect", 0.5, 33)
    assert options_of(None, defaults) == defaults
    with pytest.raises(SettingsError, match="There is no option 'label' to choose"):
        options_of({"label": False}, defaults)
    with pytest.raises(SettingsError, match=r"option feather can't be 7: .* less than or equal to 0\.5"):
        options_of({"feather": 7}, defaults)


def test_the_form_makes_the_options_it_shows_and_keeps_the_rest() -> None:
    defaults = SwapOptions(max_yaw=33, protect=("eyes",))
    with gr.Blocks():
        form = OptionsForm.build("tab", defaults)
    shown = tuple(component.value for component in form.inputs)
    assert form.chosen(defaults, shown) == defaults
    changed = [*shown]
    changed[list(form.fields).index("reshape")] = 0.25
    changed[list(form.fields).index("protect")] = ["mouth"]
    made = form.chosen(defaults, tuple(changed))
    assert (made.reshape, made.protect, made.max_yaw) == (0.25, ("mouth",), 33)
    assert "steady" not in form.fields, "it changes nothing on a picture"
    feather = form.fields["feather"]
    assert (feather.minimum, feather.maximum) == (0, 0.5)  # the model's limits


def test_the_form_offers_what_the_command_line_offers_under_its_names() -> None:
    with gr.Blocks():
        form = OptionsForm.build("tab", SwapOptions(), without=())
    ours = set(form.fields)
    assert ours == set(SwapOptions.model_fields) - {"label", "label_text", "watermark"}, (
        "the app labels everything"
    )
    group = typer.main.get_command(cli)
    command = group.resolve_command(group.make_context("faceswap", [], resilient_parsing=True), ["swap"])[1]  # type: ignore[attr-defined]
    flags = {flag.removeprefix("--").replace("-", "_") for one in command.params for flag in one.opts}
    offered = flags & set(SwapOptions.model_fields)
    assert {"outline", "erosion", "match_threshold", "max_yaw"} <= offered
    assert offered - {"label", "watermark"} <= ours
    for key, component in form.fields.items():
        assert component.label == key.replace("_", " ").capitalize()


def test_every_value_of_the_form_is_one_that_the_options_take() -> None:
    with gr.Blocks():
        form = OptionsForm.build("tab", SwapOptions(), without=())
    for key, component in form.fields.items():
        ends = [component.value]
        if isinstance(component, gr.Slider):
            ends += [component.minimum, component.maximum]
        elif isinstance(component, gr.Dropdown):
            ends += [value for _, value in component.choices]
        for value in ends:
            values = [value if name == key else other.value for name, other in form.fields.items()]
            assert form.chosen(SwapOptions(), values)
