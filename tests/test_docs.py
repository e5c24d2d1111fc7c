"""What the documents say can be typed: links lead somewhere, commands parse, make targets are there."""

import re
import shlex
from pathlib import Path

import pytest

from maquette import cli

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def code(document: Path) -> list[str]:
    """The lines inside fenced blocks, those that end in a bracketed continuation joined."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", document.read_text("utf-8"), re.M | re.S)
    return [line.strip() for block in blocks for line in re.sub(r"\n +(?=\[)", " ", block).splitlines()]


def commands() -> list[str]:
    """What follows `maquette` in the documents' examples."""
    found = []
    for document in DOCUMENTS:
        for line in code(document):
            if match := re.match(r"(?:blender --background --command )?maquette (\w+ ?.*)", line.split("#")[0]):
                found.append(match[1].strip())
    return sorted(set(found))


EXAMPLES = [command for command in commands() if "[" not in command]
GRAMMAR = [command for command in commands() if "[" in command]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_there_are_examples():
    assert len(EXAMPLES) >= 4 and len(GRAMMAR) >= 2


@pytest.mark.parametrize("command", EXAMPLES)
def test_examples_parse(command):
    cli.parser().parse_args(shlex.split(command))


@pytest.mark.parametrize("command", GRAMMAR)
def test_the_grammar_names_real_options(command, capsys):
    with pytest.raises(SystemExit):
        cli.parser().parse_args([command.split()[0], "--help"])
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", capsys.readouterr().out))
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", command)) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document):
    named = {target for line in code(document) for target in re.findall(r"\bmake ([a-z]+)", line)}
    assert {target for target in named if not re.search(rf"^{target}:", MAKEFILE, re.M)} == set()
