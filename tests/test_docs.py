"""What the pages say exists: files, headings, commands with their options, settings, dependencies."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from faceswap.cli import app
from faceswap.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
FOR_USERS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_PATH = re.compile(r"`((?:faceswap|flows|serving|infra|tests|docs)/[\w./-]+)`")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:uv run (?:--compile-bytecode )?)?faceswap ([a-z][a-z-]+)\b(.*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page.read_text())


def snippets(page: Path) -> Iterator[str]:
    """Code in the page: each line of its blocks, without the comment, and each span."""
    text = page.read_text()
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines()[1:-1]:
            yield from line.partition(" # ")[0].split("&& ")
    for paragraph in _FENCE.sub("", text).split("\n\n"):
        yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", paragraph))


def anchors(page: Path) -> set[str]:
    """The page's headings as GitHub links to them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@cache
def options_of(command: str) -> frozenset[str]:
    """The options of a command; empty where there is no such command."""
    group = typer.main.get_command(app)
    if command not in group.commands:
        return frozenset()
    context = group.make_context("faceswap", [command])
    _, found, _ = group.resolve_command(context, [command])
    commands = [found, *getattr(found, "commands", {}).values()]
    params = [one for each in commands for one in each.params]
    names = (name for one in params for name in (*one.opts, *one.secondary_opts))
    return frozenset({*names, "--help"})


def all_options() -> frozenset[str]:
    return frozenset().union(*map(options_of, typer.main.get_command(app).commands))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        target, _, anchor = unquote(link).partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(file), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    missing = [path for path in _PATH.findall(page.read_text()) if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist_with_their_options(page: Path) -> None:
    for code in snippets(page):
        if found := _COMMAND.match(code.strip()):
            command, rest = found.groups()
            known = options_of(command)
            assert known, f"{code!r}: there is no command {command}"
            assert set(_OPTION.findall(rest)) <= known, code


@pytest.mark.parametrize("page", FOR_USERS, ids=name_of)
def test_options_belong_to_some_command(page: Path) -> None:
    alone = [code for code in snippets(page) if code.startswith("--")]
    for code in alone:
        assert set(_OPTION.findall(code)) <= all_options(), code


def test_commands_are_looked_at() -> None:
    """The patterns above find what there is to find."""
    commands = {found[1] for code in snippets(ROOT / "README.md") if (found := _COMMAND.match(code.strip()))}
    assert {"demo", "run", "train", "swap", "up", "promote"} <= commands
    assert not options_of("dance") and "--mask" in options_of("swap") and "--mask" not in options_of("train")


def test_the_readme_names_every_command() -> None:
    named = " ".join(code for code in snippets(ROOT / "README.md") if "faceswap" in code)
    for command in typer.main.get_command(app).commands:
        assert re.search(rf"faceswap {command}\b", named), command


def test_every_setting_has_its_line() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    named = {word.lower() for word in re.findall(r"`FACESWAP_(\w+)`", page)}
    assert named == set(Settings.model_fields)


def test_every_dependency_has_its_licence() -> None:
    page = (ROOT / "docs" / "licences.md").read_text()
    for line in (ROOT / "requirements.in").read_text().splitlines():
        if name := re.match(r"[\w-]+", line):
            assert re.search(rf"(?<![\w-]){name[0]}(?![\w-])", page), name[0]
