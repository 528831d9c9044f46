"""The command line: thin, it checks the words and calls the flows that Prefect serves."""

import typer

from faceswap.cli import listing as look
from faceswap.cli import platform, promotion, serve, steps, swap, tune, whole_job

_HELP = """Swap faces of consenting or fictional people: train, compare, promote and serve the models.

Begin with `faceswap demo`: the whole job on people who do not exist."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help=_HELP)
for command in (
    whole_job.demo,
    whole_job.run,
    steps.preprocess,
    steps.train,
    steps.pretrain,
    steps.learn_occlusion,
    tune.tune,
    steps.evaluate,
    swap.swap,
    promotion.promote,
    promotion.rollback,
    serve.serve,
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
