"""The public interface is documented, typed, and docs/api.md is up to date."""

import ast
import dataclasses
import importlib
import importlib.util
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def load_make_api():
    path = REPOSITORY / "docs" / "make_api.py"
    spec = importlib.util.spec_from_file_location("make_api", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make_api = load_make_api()
PACKAGE = make_api.load()


def public():
    """Public name to object as griffe sees it, each object once."""
    found = {}
    for room in make_api.ROOMS:
        for name in make_api.public_names(PACKAGE[room]):
            item = make_api.target(PACKAGE[room], name)
            found.setdefault(item.path, (room, name, item))
    return {f"{room}.{name}": item for room, name, item in found.values()}


PUBLIC = public()


def callables():
    """Public functions and methods by name."""
    found = {}
    for name, item in PUBLIC.items():
        if item.is_function:
            found[name] = item
        elif item.is_class:
            for member in make_api.public_members(item):
                found[f"{name}.{member.name}"] = member
    return found


CALLABLES = callables()


def sections(item):
    text = "" if item.docstring is None else item.docstring.value
    return {part.title: part for part in make_api.sections(text)}


def listed(item, title):
    found = sections(item).get(title)
    return [] if found is None else [name for name, _ in found.items()]


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


def test_api_page_is_up_to_date():
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    assert page == make_api.render(), "run: python docs/make_api.py"


def test_page_has_every_public_name():
    import emotion_mt

    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    rooms = {room.split(".")[0] for room in make_api.ROOMS}
    names = set(emotion_mt.__all__) - rooms - {"__version__", "demo"}
    assert len(names) > 20
    for name in names:
        assert f"[`emt.{name}`](#" in page
    for item in PUBLIC.values():
        assert page.count(f'<a id="{item.path}"></a>') == 1
    targets = set(page.split("](#")[1:])
    assert len(targets) > 20
    for target in targets:
        assert f'<a id="{target.split(")")[0]}"></a>' in page


@pytest.mark.parametrize("name", PUBLIC)
def test_has_a_docstring(name):
    item = PUBLIC[name]
    if item.is_attribute:
        assert make_api.comment(item), f"{name} needs a `#:` comment"
    else:
        assert item.docstring is not None


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring_is_complete(name):
    item = CALLABLES[name]
    assert item.docstring is not None
    if not item.is_function:
        return  # a property is described by its first line
    stars = {"variadic positional": "*", "variadic keyword": "**"}
    expected = [
        stars.get(parameter.kind.value, "") + parameter.name
        for parameter in item.parameters
        if parameter.name not in ("self", "cls")
    ]
    assert listed(item, "Args") == expected
    text = item.docstring.value
    # One line can say it all.
    said = text.split()[0] in ("Returns", "Says") or not (
        expected or "\n" in text
    )
    if str(item.returns) != "None" and not said:
        assert {"Returns", "Yields"} & set(sections(item)), "needs Returns"
    assert raised(item) <= set(listed(item, "Raises"))


@pytest.mark.parametrize("name", [n for n in PUBLIC if PUBLIC[n].is_class])
def test_class_docstring_lists_its_arguments(name):
    item = PUBLIC[name]
    described = listed(item, "Attributes") + listed(item, "Args")
    for base in item.resolved_bases:  # A config adds to what all have.
        described += listed(base, "Attributes")
    if "dataclass" in item.labels:
        module, _, attribute = item.path.rpartition(".")
        cls = getattr(importlib.import_module(module), attribute)
        fields = {f.name for f in dataclasses.fields(cls)}
        assert fields <= set(described)
    elif "__init__" in item.members:
        arguments = [
            parameter.name
            for parameter in item.members["__init__"].parameters
            if parameter.name != "self"
            and not parameter.kind.value.startswith("variadic")
        ]
        missing = set(arguments) - set(described)
        assert not missing
