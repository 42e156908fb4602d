"""Writes docs/api.md from the docstrings of the public names.

  python docs/make_api.py

The source is read, not imported (griffe), so that this takes a second. The
same source gives the same file; a test fails when docs/api.md is older than
the docstrings.
"""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import griffe

import emotion_mt

#: Modules, classes, functions and attributes, as griffe describes them.
Item: TypeAlias = Any

REPOSITORY = Path(__file__).resolve().parents[1]
API = REPOSITORY / "docs" / "api.md"

#: Public modules after the package itself, in the order of the page.
ROOMS = (
    "paper",
    "corpus",
    "simulation",
    "features",
    "models",
    "training",
    "evaluation",
    "inference",
    "runs",
)

#: Sections of a docstring whose lines are "name: text".
LISTS = ("Args", "Attributes", "Raises", "Call arguments")

#: Methods that Keras calls; whoever uses a model or layer does not.
KERAS_METHODS = (
    "assign",
    "assign_add",
    "assign_sub",
    "build",
    "call",
    "compile_from_config",
    "compute_loss",
    "compute_output_shape",
    "count",
    "fit",
    "from_config",
    "get_config",
    "losses",
    "model_arguments",
    "reset_state",
    "result",
    "train_step",
    "update_state",
    "update_step",
)

_HEADER = re.compile(r"^([A-Z][A-Za-z ]+):$")
_ITEM = re.compile(r"^(\*{0,2}[\w.]+(?: \([^)]*\))?):\s+(.*)$", re.DOTALL)
_LONGEST_LINE = 79

# Signatures and excerpts are no programs: not "python", which our tests run.
_FENCE = "py"

_INTRODUCTION = """\
# The public interface

Made from the docstrings by `python docs/make_api.py`; do not edit. Shapes are
in brackets (`[N, V]`: segments × viewers), times in seconds, NaN means "did not
rate". Private names and modules that are not here may change at any time.

```python
import emotion_mt as emt
```
"""


@dataclasses.dataclass(frozen=True)
class Section:
    """Part of a docstring.

    Attributes:
        title: Such as "Args"; "" for running text.
        text: Without the indentation.
    """

    title: str
    text: str

    def items(self) -> list[tuple[str, str]]:
        """Splits "name: text" entries; further lines are indented.

        Returns:
            Names and texts, each text in one line; a text without a name
            where the entry has none.
        """
        entries: list[list[str]] = []
        for line in self.text.splitlines():
            if line and not line.startswith(" "):
                entries.append([line])
            elif entries:
                entries[-1].append(line.strip())
        joined = [" ".join(filter(None, entry)) for entry in entries]
        matches = [(_ITEM.match(entry), entry) for entry in joined]
        return [(m[1], m[2]) if m else ("", entry) for m, entry in matches]


def sections(docstring: str) -> list[Section]:
    """Splits a docstring in Google style."""
    lines = docstring.splitlines()
    starts = [
        number
        for number, line in enumerate(lines[:-1])
        if _HEADER.match(line) and lines[number + 1].startswith(" ")
    ]
    ends = []
    for start in starts:
        end = start + 1
        while end < len(lines) and (not lines[end] or lines[end][0] == " "):
            end += 1
        ends.append(end)
    found, position = [], 0
    for start, end in zip(starts, ends, strict=True):
        found.append(Section("", "\n".join(lines[position:start])))
        body = textwrap.dedent("\n".join(lines[start + 1 : end]))
        found.append(Section(lines[start][:-1], body.strip("\n")))
        position = end
    found.append(Section("", "\n".join(lines[position:])))
    return [part for part in found if part.text.strip()]


def load() -> Item:
    """Reads the package."""
    return griffe.load("emotion_mt", search_paths=[str(REPOSITORY)])


def public_names(module: Item) -> list[str]:
    """Names of `__all__`; without one, all that are defined and not private."""
    if module.exports is not None:
        return [str(name) for name in module.exports]
    return [
        name
        for name, member in module.members.items()
        if not name.startswith("_") and not member.is_alias
    ]


def target(module: Item, name: str) -> Item:
    """The object behind a public name, wherever it is defined."""
    member = module[name]
    return member.final_target if member.is_alias else member


def public_members(cls: Item) -> list[Item]:
    """Public methods and properties of a class, without inherited ones."""
    return [
        member
        for name, member in cls.members.items()
        if not name.startswith("_")
        and name not in KERAS_METHODS
        and not member.is_alias
        and (member.is_function or "property" in member.labels)
    ]


def comment(attribute: Item) -> str:
    """The `#:` comment above a constant, or above the group it is in."""
    lines = attribute.filepath.read_text(encoding="utf-8").splitlines()
    above = [line.strip() for line in lines[: attribute.lineno - 1]]
    while above and above[-1] and not above[-1].startswith("#:"):
        above.pop()
    found: list[str] = []
    while above and above[-1].startswith("#:"):
        found.insert(0, above.pop()[2:].strip())
    return " ".join(found)


def _escape(text: str) -> str:
    """Keeps "<viewer>" from being read as HTML, except in code."""
    parts = re.split(r"(```.*?```|`[^`]*`)", text, flags=re.DOTALL)
    return "".join(
        part if number % 2 else part.replace("<", "&lt;")
        for number, part in enumerate(parts)
    )


def _default(parameter: griffe.Parameter, module: Item) -> str:
    """A default as source; private constants are replaced by their value."""
    text = str(parameter.default)
    if "lambda" in text:
        return "..."
    if text.startswith("_") and text in module.members:
        return str(module[text].value)
    return text


def _parameters(function: Item) -> Iterator[str]:
    kinds = griffe.ParameterKind
    keyword_only = False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        stars = {kinds.var_positional: "*", kinds.var_keyword: "**"}
        star = stars.get(parameter.kind, "")
        if parameter.kind is kinds.keyword_only and not keyword_only:
            keyword_only = True
            yield "*"
        text = star + parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not star:
            text += f" = {_default(parameter, function.module)}"
        yield text


def signature(function: Item) -> str:
    """The call of a function or class as Python, wrapped where it is long."""
    head = "class " if function.is_class else ""
    parameters = list(_parameters(function))
    returns = None if function.is_class else function.returns
    tail = f") -> {returns}" if returns is not None else ")"
    line = f"{head}{function.name}({', '.join(parameters)}{tail}"
    if len(line) <= _LONGEST_LINE:
        return line
    inner = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"{head}{function.name}(\n{inner}{tail}"


def _section(section: Section) -> str:
    if not section.title:
        return _escape(section.text.strip("\n"))
    if section.title.startswith("Example"):
        if section.text.startswith(">>>"):
            return f"```pycon\n{section.text}\n```"
        return section.text.replace("```python", f"```{_FENCE}")
    if section.title in LISTS:
        lines = [
            f"- `{name}`: {_escape(text)}" if name else f"- {_escape(text)}"
            for name, text in section.items()
        ]
        return f"**{section.title}**\n\n" + "\n".join(lines)
    return f"**{section.title}**\n\n{_escape(section.text)}"


def docstring(item: Item) -> str:
    """The docstring of anything, as Markdown."""
    if item.docstring is None:
        return ""
    return "\n\n".join(map(_section, sections(item.docstring.value)))


def summary(item: Item) -> str:
    """First line of the docstring."""
    text = "" if item.docstring is None else item.docstring.value
    return _escape(text.split("\n\n")[0].replace("\n", " "))


def _constant(item: Item) -> str:
    """A constant as an entry of a list."""
    code = f"{item.name} = {item.value}"
    if len(code) > _LONGEST_LINE:
        code = item.name
        code += f": {item.annotation}" if item.annotation else ""
    anchor = f'<a id="{item.path}"></a>'
    return f"- {anchor}`{code}`: {_escape(comment(item))}"


def _member(cls: Item, member: Item) -> str:
    name = f"{cls.name}.{member.name}"
    if not member.is_function:
        annotation = f": {member.annotation}" if member.annotation else ""
        return f"#### `{name}{annotation}`\n\n{docstring(member)}"
    code = f"```{_FENCE}\n{signature(member)}\n```"
    return f"#### `{name}`\n\n{code}\n\n{docstring(member)}"


def entry(item: Item) -> str:
    """A public name under its heading."""
    head = f'<a id="{item.path}"></a>\n\n### `{item.name}`'
    if item.is_module:
        return f"{head}\n\n{docstring(item)}"
    parts = [head, f"```{_FENCE}\n{signature(item)}\n```", docstring(item)]
    if item.is_class:
        parts += [_member(item, member) for member in public_members(item)]
    return "\n\n".join(part for part in parts if part)


def _index(package: Item) -> str:
    """The names that `emotion_mt` itself offers, with links."""
    lines = ["| name | what it is |", "| --- | --- |"]
    for name in emotion_mt.__all__:
        item = target(package, name)
        if name.startswith("__") or item.is_module:
            continue
        lines.append(f"| [`emt.{name}`](#{item.path}) | {summary(item)} |")
    return "\n".join(lines)


def _room(module: Item, seen: set[str]) -> Iterator[str]:
    """Paragraphs about a room; `seen` are the paths described before."""
    yield f'<a id="{module.path}"></a>\n\n## `{module.path}`'
    yield docstring(module)
    items = {name: target(module, name) for name in public_names(module)}
    new = [item for item in items.values() if item.path not in seen]
    constants = [_constant(item) for item in new if item.is_attribute]
    if constants:
        yield "\n".join(constants)
    yield from (entry(item) for item in new if not item.is_attribute)
    links = [
        f"[`{name}`](#{item.path})"
        for name, item in items.items()
        if item.path in seen
    ]
    if links:
        yield f"Described above: {', '.join(links)}."
    seen.update(item.path for item in new)


def render() -> str:
    """Returns the whole page."""
    package = load()
    parts = [_INTRODUCTION.rstrip(), _index(package)]
    seen: set[str] = set()
    for room in ROOMS:
        parts += _room(package[room], seen)
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    API.write_text(render(), encoding="utf-8")
    print(f"{API.relative_to(REPOSITORY)} is written")
