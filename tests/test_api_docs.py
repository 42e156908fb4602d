"""The public interface is documented and typed, and the site has all of it."""

import ast
import dataclasses
import importlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import griffe
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = REPOSITORY / "docs" / "api"
ROOMS = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")
PACKAGE = griffe.load(
    "emotion_mt",
    search_paths=[str(REPOSITORY)],
    docstring_parser="google",
    extensions=griffe.load_extensions("griffe_sphinx"),
)


def public_names(module):
    """`__all__`; without one, what is defined there and not private."""
    if module.exports is not None:
        return [str(name) for name in module.exports]
    return [
        name
        for name, member in module.members.items()
        if not name.startswith("_") and not member.is_alias
    ]


def target(module, name):
    """The object behind a public name, wherever it is defined."""
    member = module[name]
    return member.final_target if member.is_alias else member


def public():
    """Public name to object as griffe sees it, each object once."""
    found = {}
    for room in ROOMS:
        for name in public_names(PACKAGE[room]):
            item = target(PACKAGE[room], name)
            found.setdefault(item.path, (f"{room}.{name}", item))
    return dict(found.values())


PUBLIC = public()


def hidden():
    """What Keras calls, which the pages leave out by name."""
    page = (PAGES / "models.md").read_text(encoding="utf-8")
    return re.search(r"!\^\((.*)\)\$", page)[1].split("|")


def callables():
    """Public functions, methods and properties by name."""
    found = {}
    for name, item in PUBLIC.items():
        if item.is_function:
            found[name] = item
        elif item.is_class:
            for member in item.members.values():
                if (
                    not member.name.startswith("_")
                    and member.name not in hidden()
                    and not member.is_alias
                    and (member.is_function or "property" in member.labels)
                ):
                    found[f"{name}.{member.name}"] = member
    return found


CALLABLES = callables()


def sections(item):
    """Sections of a docstring by kind, such as "parameters"."""
    if item.docstring is None:
        return {}
    return {part.kind.value: part.value for part in item.docstring.parsed}


def listed(item, *kinds):
    return [
        getattr(entry, "name", None) or entry.annotation
        for kind in kinds
        for entry in sections(item).get(kind, ())
    ]


def raised(item):
    """Names of the errors that a function raises itself."""
    tree = ast.parse(textwrap.dedent(item.source)).body[0]
    inner = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.Lambda)
        and function is not tree
        for node in ast.walk(function)
    }
    calls = [
        node.exc
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node not in inner
    ]
    return {
        call.func.id
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id[0].isupper()
    }


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as `make docs` builds it: any warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = ["mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.parametrize("room", ROOMS)
def test_the_site_has_every_public_name(site, room):
    page = (site / "api" / f"{room}.html").read_text(encoding="utf-8")
    names = public_names(PACKAGE[room])
    assert len(names) >= 3
    for name in names:
        assert page.count(f'id="emotion_mt.{room}.{name}"') == 1, name


def test_the_site_loads_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r"<(?:script|img|iframe)[^>]+src=\"?([^\"\s>]+)", text
        )
        loaded += re.findall(r"<link[^>]+href=\"?([^\"\s>]+)", text)
        assert loaded
        assert not [url for url in loaded if "//" in url], page.name


def test_the_first_api_page_lists_the_package():
    import emotion_mt

    page = (PAGES / "index.md").read_text(encoding="utf-8")
    names = re.findall(r"\[`(\w+)`\]\[emotion_mt\.\w+\.\1\]", page)
    rooms = re.findall(r"\[`emt\.(\w+)`\]\(\1\.md\)", page)
    assert sorted(rooms) == ROOMS
    assert sorted([*names, *rooms, "__version__", "demo"]) == sorted(
        emotion_mt.__all__
    )


@pytest.mark.parametrize("name", {**PUBLIC, **CALLABLES})
def test_has_a_docstring(name):
    item = {**PUBLIC, **CALLABLES}[name]
    assert item.docstring is not None, "or, a constant, a `#:` comment"
    text = re.sub(r"```.*?```|`[^`]*`", "", item.docstring.value, flags=re.S)
    assert not re.search(r"<[a-z/]", text), "a page takes it for a tag"


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring_is_complete(name):
    item = CALLABLES[name]
    if not item.is_function:
        return  # a property is described by its first line
    stars = {"variadic positional": "*", "variadic keyword": "**"}
    expected = [
        stars.get(parameter.kind.value, "") + parameter.name
        for parameter in item.parameters
        if parameter.name not in ("self", "cls")
    ]
    assert listed(item, "parameters") == expected
    text = item.docstring.value
    # One line can say it all.
    said = text.split()[0] in ("Returns", "Says") or not (
        expected or "\n" in text
    )
    if str(item.returns) != "None" and not said:
        assert {"returns", "yields"} & set(sections(item)), "needs Returns"
    assert raised(item) <= set(map(str, listed(item, "raises")))


@pytest.mark.parametrize("name", [n for n in PUBLIC if PUBLIC[n].is_class])
def test_class_docstring_lists_its_arguments(name):
    item = PUBLIC[name]
    described = set()
    for cls in (item, *item.resolved_bases):  # A config adds to what all have.
        described |= set(listed(cls, "attributes", "parameters"))
    if "dataclass" in item.labels:
        module, _, attribute = item.path.rpartition(".")
        cls = getattr(importlib.import_module(module), attribute)
        fields = {f.name for f in dataclasses.fields(cls)}
        assert fields <= described
    elif "__init__" in item.members:
        arguments = {
            parameter.name
            for parameter in item.members["__init__"].parameters
            if parameter.name != "self"
            and not parameter.kind.value.startswith("variadic")
        }
        assert arguments <= described
