"""One subcommand: its flags, its help page, and how they are parsed."""

from __future__ import annotations

import dataclasses
import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags

#: What asks for help.
HELP_FLAGS = frozenset({"--help", "-help", "-h", "-?"})

#: Name of the program.
PROGRAM = "emotion-mt"

#: Defines a flag; is given its name and the flag values it belongs to.
Definition = Callable[..., object]


def _flag(
    define: Definition, help_: str, default: Any = None, **limits: Any
) -> Definition:
    """A flag of a kind, to be defined later; `limits` are those of the kind."""
    return functools.partial(define, help=help_, default=default, **limits)


# Kinds of flags: each is given a help text and, if there is one, a default.
text = functools.partial(_flag, flags.DEFINE_string)
names = functools.partial(_flag, flags.DEFINE_list)
whole = functools.partial(_flag, flags.DEFINE_integer)
number = functools.partial(_flag, flags.DEFINE_float, lower_bound=0.0)
switch = functools.partial(_flag, flags.DEFINE_bool, default=False)

#: Flag of commands that can tell their result to programs.
JSON = {"json": switch("Write the result to stdout as JSON, and nothing else.")}


def choice(help_: str, *among: str) -> Definition:
    """A flag that holds one of some words, the first of them by default."""
    return _flag(flags.DEFINE_enum, help_, among[0], enum_values=among)


@dataclasses.dataclass(frozen=True)
class Command:
    """A subcommand, or a script.

    Attributes:
        name: What the user types, for a script its file.
        summary: What it does: one line, or a script's docstring.
        options: Its flags, name to definition.
        run: Does the work; is given the parsed flags, returns the exit status
            and raises `flags.Error` for wrong usage.
        example: Flags of an example, without program and name.
        required: Flags that must be given.
    """

    name: str
    summary: str
    options: Mapping[str, Definition]
    run: Callable[[flags.FlagValues], int]
    example: str = ""
    required: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """What a command line begins with."""
        begin = "python" if self.name.endswith(".py") else PROGRAM
        return f"{begin} {self.name}"

    def new_flags(self) -> flags.FlagValues:
        """Returns flags of this command alone, not parsed."""
        values = flags.FlagValues()
        for name, define in self.options.items():
            define(name=name, flag_values=values)
        return values

    def parse(self, arguments: Sequence[str]) -> flags.FlagValues:
        """Parses what follows the name; `flags.Error` for wrong usage."""
        values = self.new_flags()
        rest = values([self.program, *arguments])[1:]
        if rest:
            received = " ".join(rest)
            raise flags.Error(f"Only --flags are taken. Received: {received}")
        missing = [f"--{n}" for n in self.required if values[n].value is None]
        if missing:
            raise flags.Error(f"{' and '.join(missing)} must be given.")
        return values

    def help(self) -> str:
        """Returns the help page: summary, example and this command's flags."""
        parts = [self.summary.strip()]
        if self.example:
            command = f"{self.program} {self.example}"
            lines = textwrap.wrap(command, 72, break_on_hyphens=False)
            parts.append("Example:\n  " + " \\\n    ".join(lines))
        if self.required:
            parts.append(f"Required: --{', --'.join(self.required)}")
        # absl's list, under the name of the module that defines them.
        _, _, listed = self.new_flags().module_help(__name__).partition(":\n")
        parts.append(f"Flags:\n{listed.rstrip()}")
        return "\n\n".join(parts)
