"""Options of a command that are made from a model's fields."""

from typing import Any

import typer
from typer.testing import CliRunner

from faceswap.cli.options import Shown, takes_fields_of
from faceswap.swap.options import SwapOptions


def test_an_earlier_name_of_a_value_is_taken_but_not_offered() -> None:
    app, given = typer.Typer(), []

    @app.command()
    @takes_fields_of(SwapOptions, {"outline": Shown("whose outline", "Mask")})
    def swap(options: dict[str, Any]) -> None:
        given.append(SwapOptions(**options).outline)

    assert CliRunner().invoke(app, ["--outline", "drawn"]).exit_code == 0
    assert CliRunner().invoke(app, ["--outline", "target"]).exit_code == 0
    assert CliRunner().invoke(app, []).exit_code == 0
    assert given == ["generated", "target", "generated"]
    assert CliRunner().invoke(app, ["--outline", "painted"]).exit_code == 2
    offered = CliRunner().invoke(app, ["--help"]).output
    assert "generated" in offered
    assert "drawn" not in offered
