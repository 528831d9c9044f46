"""consent: what a person allows with their likeness, from its record to its end."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceswap.cli.common import quiet_imports, spoken_errors
from faceswap.cli.options import at_home, one_of
from faceswap.cli.running import forget_in_prefect
from faceswap.errors import SettingsError
from faceswap.output.console import say

if TYPE_CHECKING:
    from faceswap.provenance.consent.life import Life
    from faceswap.provenance.consent.remains import Remains

consent = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show, record, extend or withdraw a person's consent.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_ID = 12
"""Letters of an id of a run or a face set in the keys of what Prefect shows."""


def _purposes() -> list[str]:
    return ["training", "swapping", "publishing"]


Name = Annotated[str, typer.Argument(help="the identity")]
By = Annotated[str, typer.Option(help="who records it; default: the user of this machine")]
Purposes = Annotated[
    list[str] | None,
    typer.Option(
        "--purpose",
        help="training, swapping, publishing; repeatable; default: all",
        callback=one_of(_purposes),
        autocompletion=_purposes,
    ),
]
Until = Annotated[str, typer.Option(help="last day, YYYY-MM-DD", metavar="DAY")]
Evidence = Annotated[
    str, typer.Option(help="the signed file; only its SHA-256 is kept", metavar="FILE", callback=at_home)
]


def _day(text: str, option: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise SettingsError(f"{option} {text!r} is no day", "write YYYY-MM-DD, such as 2027-01-31") from error


def _do(job: str, **values: Any) -> Any:
    """Consent is a matter of this very moment: it waits for no flow run."""
    with quiet_imports():
        from faceswap import jobs

        return getattr(jobs, job)(jobs.ConsentParameters(**values))


@consent.command()
def show(name: Name) -> None:
    """Show what is allowed today, and how it came about."""
    with spoken_errors():
        from faceswap import jobs

        life = jobs.consent_of(name)
        _say_terms(life)
        for event in life.events:
            until = f", until {event.until}" if event.until else ""
            said = f": {event.statement}" if event.statement else ""
            say(f"  {event.at:%Y-%m-%d %H:%M} UTC {event.kind} by {event.by or 'somebody'}{until}{said}")


@consent.command()
def record(
    name: Name,
    statement: Annotated[str, typer.Argument(help="what allows the use, and who gave it")],
    purposes: Purposes = None,
    targets: Annotated[str, typer.Option(help="which targets it allows, in words; default: any")] = "",
    since: Annotated[str, typer.Option(help="first day; default: today", metavar="DAY")] = "",
    until: Until = "",
    evidence: Evidence = "",
    fictional: Annotated[bool, typer.Option("--fictional", help="the person does not exist")] = False,
    by: By = "",
) -> None:
    """Write down that a person consents; after a withdrawal, that they consent anew."""
    with spoken_errors():
        life = _do(
            "record_consent",
            name=name,
            statement=statement,
            purposes=purposes or [],
            targets=targets,
            since=_day(since, "--since"),
            until=_day(until, "--until"),
            evidence=evidence,
            fictional=fictional,
            by=by,
        )
        _say_terms(life)


@consent.command()
def extend(
    name: Name, until: Until = "", purposes: Purposes = None, evidence: Evidence = "", by: By = ""
) -> None:
    """Let a consent last longer, or allow more or less."""
    with spoken_errors():
        day = _day(until, "--until")
        _say_terms(
            _do("extend_consent", name=name, until=day, purposes=purposes or [], evidence=evidence, by=by)
        )


@consent.command()
def withdraw(
    name: Name,
    reason: Annotated[str, typer.Option(help="why; it is recorded")] = "",
    erase: Annotated[bool, typer.Option("--erase", help="erase all that exists of the person")] = False,
    by: By = "",
) -> None:
    """End a consent now; list what exists of the person, or erase it."""
    with spoken_errors("the withdrawal holds, and the same command goes on"):
        done = _do("withdraw_consent", name=name, statement=reason, by=by)
        if erase:
            _forget_in_prefect(done.found)  # while it is known whose runs they are
            done = _do("withdraw_consent", name=name, erase=True, by=by)
        _say_terms(done.life)
        say("From now on nothing of this person is trained, promoted, swapped or served.")
        if done.aliases:
            say(f"Removed: {', '.join(done.aliases)} of face-{name}.")
        if done.left is None:
            _list(f"What exists of {name}", done.found)
            if done.found.items:
                say(f"`faceswap consent withdraw {name} --erase` erases it.")
        else:
            say(f"Erased: {len(done.erased)} things.")
            for item in done.erased:
                say(f"  {item}")
            if done.left.items:
                _list(f"What a search still found of {name}", done.left)
            else:
                say(f"A search afterwards found nothing of {name} that can be erased.")
                _stay(done.left)
        for problem in done.problems:
            say(f"Not done: {problem}")
        if done.problems or (done.left is not None and done.left.items):
            say("Give the same command again once that is mended.")
            raise typer.Exit(1)


def _forget_in_prefect(found: "Remains") -> None:
    """What Prefect's pages show of the runs and face sets of a person."""
    kinds = {"run", "pictures", "face set"}
    ids = {item.place.rstrip("/").rpartition("/")[2][:_ID] for item in found.items if item.kind in kinds}
    if gone := forget_in_prefect(ids):
        say(f"Erased from Prefect's pages: {gone} pictures, notes and tables.")


def _say_terms(life: "Life") -> None:
    terms, state = life.terms, life.state()
    say(f"{life.identity}: {state}")
    if terms is None or state == "withdrawn":
        return
    say(f"  {terms.statement}")
    say(f"  for {', '.join(terms.purposes) or 'nothing'}; targets: {terms.targets or 'any'}")
    say(f"  from {terms.since} until {terms.until or 'it is withdrawn'}")
    if terms.evidence:
        say(f"  evidence: SHA-256 {terms.evidence}")


def _list(title: str, remains: "Remains") -> None:
    say(f"{title}: {len(remains.items)} things that can be erased.")
    for item in remains.items:
        say(f"  {item}")
    _stay(remains)


def _stay(remains: "Remains") -> None:
    if remains.stay:
        say("What erasing does not reach:")
        for line in remains.stay:
            say(f"  {line}")
