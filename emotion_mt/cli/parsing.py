"""One subcommand: its flags, its help page, and how they are parsed."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from absl import flags

#: What asks for help.
HELP_FLAGS = frozenset({"--help", "-help", "-h", "-?"})

#: Name of the program.
PROGRAM = "emotion-mt"

_WIDTH = 80


#: Defines a flag of a name among some flag values.
Definition = Callable[[str, flags.FlagValues], object]


def text(help_: str, default: str | None = None) -> Definition:
    """A flag that holds any text."""
    return lambda name, values: flags.DEFINE_string(
        name, default, help_, flag_values=values
    )


def switch(help_: str) -> Definition:
    """A flag that is off unless it is given."""
    return lambda name, values: flags.DEFINE_bool(
        name, False, help_, flag_values=values
    )


def choice(default: str, among: list[str], help_: str) -> Definition:
    """A flag that holds one of some words."""
    return lambda name, values: flags.DEFINE_enum(
        name, default, among, help_, flag_values=values
    )


def names(default: list[str] | None, help_: str) -> Definition:
    """A flag that holds words separated by commas."""
    return lambda name, values: flags.DEFINE_list(
        name, default, help_, flag_values=values
    )


def whole(
    default: int | None, least: int, help_: str, most: int | None = None
) -> Definition:
    """A flag that holds a whole number."""
    return lambda name, values: flags.DEFINE_integer(
        name,
        default,
        help_,
        lower_bound=least,
        upper_bound=most,
        flag_values=values,
    )


def number(default: float | None, help_: str) -> Definition:
    """A flag that holds a number of at least 0."""
    return lambda name, values: flags.DEFINE_float(
        name, default, help_, lower_bound=0.0, flag_values=values
    )


#: Flag of commands that can tell their result to programs.
JSON = {
    "json": switch(
        "Write the result to stdout as JSON, and nothing else; what is meant "
        "for people goes to stderr."
    )
}


@dataclasses.dataclass(frozen=True)
class Command:
    """A subcommand, or a script.

    Attributes:
        name: What the user types, for a script its file.
        summary: What it does: one line, or a script's docstring.
        options: Its flags, name to definition.
        run: Does the work; is given the parsed flags and returns the exit
            status. It raises `flags.Error` for wrong usage that parsing does
            not notice.
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
        if self.name.endswith(".py"):
            return f"python {self.name}"
        return f"{PROGRAM} {self.name}"

    def new_flags(self) -> flags.FlagValues:
        """Returns flags of this command alone, not parsed."""
        values = flags.FlagValues()
        for name, define in self.options.items():
            define(name, values)
        return values

    def parse(self, arguments: Sequence[str]) -> flags.FlagValues:
        """Parses what follows the command's name.

        Raises:
            flags.Error: If it is wrong usage.
        """
        values = self.new_flags()
        rest = values([self.program, *arguments])[1:]
        if rest:
            raise flags.Error(
                f"Only --flags are taken. Received: {' '.join(rest)}"
            )
        missing = [f"--{n}" for n in self.required if values[n].value is None]
        if missing:
            raise flags.Error(f"{' and '.join(missing)} must be given.")
        return values

    def help(self) -> str:
        """Returns the help page: summary, example and this command's flags."""
        lines = self.summary.splitlines()  # A docstring of a script.
        if self.example:
            lines = [
                *_wrapped(self.summary, ""),
                "",
                "Example:",
                *_command_line(f"{self.program} {self.example}"),
            ]
        lines += ["", "Flags:"]
        values = self.new_flags()
        names = list(dict.fromkeys([*self.required, *values]))
        for name in names:
            lines += self._describe(values[name])
        return "\n".join(lines)

    def _describe(self, flag: flags.Flag) -> Iterator[str]:
        name = f"[no]{flag.name}" if flag.boolean else flag.name
        choices = getattr(flag.parser, "enum_values", None)
        value = "" if flag.boolean else f"={'|'.join(choices or ['…'])}"
        yield f"  --{name}{value}"
        if flag.name in self.required:
            note = " (required)"
        elif flag.default is None or flag.boolean:
            note = ""
        else:
            default = str(flag.default_as_str).strip("'")
            note = f" (default: {default})"
        # absl puts the choices into the help text as well.
        text = str(flag.help).split(">: ", 1)[-1] if choices else flag.help
        yield from _wrapped(f"{text}{note}", "      ")


def _command_line(text: str) -> list[str]:
    """A command, on several lines where it is long."""
    lines = textwrap.wrap(
        text,
        _WIDTH - 4,
        initial_indent="  ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
