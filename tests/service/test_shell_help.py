"""Help of every command: what it takes, what is the default, an example that the command accepts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from datagen.pipeline.worker import CHUNK_FRAMES
from schemas.export import EventFormat, FlowFormat, SpikeFormat
from service.cli import main
from service.settings import Settings

EVENTS = {spec.model_fields["kind"].default for spec in get_args(EventFormat)}
OTHERS = {spec.model_fields["kind"].default for spec in get_args(SpikeFormat | FlowFormat)}


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command for people, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        elif not command.hidden:
            yield (*path, name), command


COMMANDS = dict(commands(main))


def help_of(*words: str) -> str:
    result = CliRunner().invoke(main, [*words, "--help"], terminal_width=200)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_everything_is_explained(words: tuple[str, ...]) -> None:
    """Say what every argument and every option is."""
    command = COMMANDS[words]
    text = help_of(*words).partition("Options:")[0].partition("\n")[2]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
        else:
            assert re.search(rf"\b{parameter.human_readable_name}\b", text), parameter.name


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_example_is_accepted(words: tuple[str, ...]) -> None:
    """Show a command line that names real options and gives all that is needed."""
    (line,) = re.findall(r"Example:\n +datagen (.+)", help_of(*words))
    example = shlex.split(line.partition(" > ")[0])
    assert tuple(example[: len(words)]) == words
    COMMANDS[words].make_context(" ".join(words), example[len(words) :])


def test_formats_are_listed() -> None:
    """Name every format with its options, of events alone where only events are written."""
    told = re.findall(r"^  (\w+)  ", help_of("export").partition("Formats")[2], re.MULTILINE)
    assert set(told) == EVENTS | OTHERS
    of_films = help_of("events", "from-video").partition("Formats")[2]
    assert set(re.findall(r"^  (\w+)  ", of_films, re.MULTILINE)) == EVENTS
    assert "message_us=10000" in of_films


def test_defaults_are_those_of_the_code() -> None:
    """Tell the defaults that hold where an option is not given."""
    settings = Settings()
    told = help_of("serve")
    for default in (settings.data, settings.host, settings.port):
        assert f"default: {default}" in told
    assert settings.chunk_frames == CHUNK_FRAMES
    assert f"[default: {CHUNK_FRAMES};" in help_of("generate")
