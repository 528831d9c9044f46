"""The command line: thin, it checks the words and calls the flows that Prefect serves."""

import typer

from faceswap.commands import look, platform, steps, swap, whole_job

_HELP = """Swap faces of consenting or fictional people: train, compare, promote and serve the models.

Begin with `faceswap demo`: the whole job on people who do not exist."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help=_HELP)
for command in (
    whole_job.demo,
    whole_job.run,
    steps.preprocess,
    steps.train,
    steps.evaluate,
    swap.swap,
    look.models,
    look.inspect,
    look.people,
    platform.up,
    platform.status,
    platform.doctor,
):
    app.command()(command)

if __name__ == "__main__":
    app()
