# SPDX-License-Identifier: Apache-2.0
"""The source keeps the promises that CONTRIBUTING makes.

Imports (layers, and the doors that are modules: socket, subprocess, h11, sqlite3) are
held by import-linter, with contracts in pyproject.toml.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "lao"
FILES = sorted(SOURCE.rglob("*.py"))
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"
LARGEST_FILE = 350
VAGUE_NAMES = {"base", "common", "core", "helpers", "manager", "misc", "util", "utils"}

# The doors that are functions, and the files that hold their keys. Methods of an event
# loop have no module in front.
NETWORK = (
    r"(asyncio\.)?(open|open_unix)_connection"
    r"|(asyncio\.)?start_(unix_)?server"
    r"|create_((unix_)?(connection|server)|datagram_endpoint)|sock_connect"
)
PROCESS = (
    r"os\.(exec|fork|popen|posix_spawn|spawn|startfile|system)\w*"
    r"|(asyncio\.)?(create_)?subprocess_(exec|shell)"
)
ENVIRONMENT = r"os\.(environb?|getenvb?|putenv|unsetenv)"


def _within(package: str) -> set[str]:
    """Return the files of one package."""
    return {
        path.relative_to(SOURCE).as_posix() for path in (SOURCE / package).rglob("*.py")
    }


DOORS = {
    "network": (NETWORK, {"backends/loopback.py"}),
    "process": (
        PROCESS,
        {
            "isolation/forking.py",
            "workers/program_child.py",
            *_within("verify"),  # it tries to pass every door
        },
    ),
    "environment": (ENVIRONMENT, {"config.py", *_within("verify")}),
}

READ_ONLY = r"(Final\[)?(AbstractSet|Mapping)\b"

# An error code: `area.what-is-wrong`. File names and model kinds look alike.
ERROR_CODE = re.compile(
    r"[a-z]+\.(?!(cpp|gguf|json|md|py|toml|txt|yaml)$)[a-z]+(-[a-z]+)*"
)
ASGI = {"http.disconnect", "http.request"}  # kinds of messages, which look like codes
ERRORS_PAGE = ROOT / "docs" / "reference" / "errors.md"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _files_where(is_wrong: Callable[[Path], object]) -> dict[str, object]:
    """Return what is wrong with each file that has something wrong."""
    found = {path.relative_to(SOURCE).as_posix(): is_wrong(path) for path in FILES}
    return {path: wrong for path, wrong in found.items() if wrong}


def test_a_file_fits_in_350_lines():
    def lines_too_many(path):
        return max(0, len(path.read_text("utf-8").splitlines()) - LARGEST_FILE)

    assert _files_where(lines_too_many) == {}


def test_a_file_opens_with_its_licence_and_says_what_it_is():
    def lacks_one(path):
        licensed = path.read_text("utf-8").startswith(LICENCE)
        return not (licensed and ast.get_docstring(_tree(path)))

    assert _files_where(lacks_one) == {}


def test_a_file_is_named_after_what_it_holds():
    def vague_names(path):
        return VAGUE_NAMES.intersection(path.relative_to(SOURCE).with_suffix("").parts)

    assert _files_where(vague_names) == {}


def test_a_module_holds_no_state():
    assert _files_where(lambda path: list(_state(_tree(path)))) == {}


@pytest.mark.parametrize(("names", "holders"), DOORS.values(), ids=DOORS)
def test_a_door_is_opened_only_by_who_holds_its_key(names, holders):
    used = _files_where(
        lambda path: {n for n in _names(_tree(path)) if re.fullmatch(names, n)}
    )

    assert {path: doors for path, doors in used.items() if path not in holders} == {}


def test_a_json_schema_is_never_looked_up_elsewhere():
    """jsonschema_rs fetches `$ref: http://…` by itself unless it is told not to."""
    assert _files_where(lambda path: list(_online_schemas(_tree(path)))) == {}


def test_the_error_page_lists_exactly_the_codes_that_can_occur():
    documented = set(
        re.findall(r"^\| `(\S+)` \|", ERRORS_PAGE.read_text("utf-8"), re.MULTILINE)
    )
    areas = {code.partition(".")[0] for code in documented} - {"lao"}  # modules
    raised = {code for path in FILES for code in _error_codes(_tree(path), areas)}

    raised -= ASGI
    assert sorted(raised - documented) == [], "write them into docs/reference/errors.md"
    assert sorted(documented - raised) == [], "no code in src/lao raises them"


@pytest.mark.parametrize("name", ["demo.lock", "dev.lock"])
def test_a_lock_checks_every_file_and_names_no_registry(name):
    lock = (ROOT / "requirements" / name).read_text("utf-8")

    assert "://" not in lock
    assert all(
        "--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z0-9])", lock)[1:]
    )


def test_the_lock_of_the_page_checks_every_package_and_names_no_address():
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    packages = [each for name, each in lock["packages"].items() if name]

    assert "://" not in json.dumps(lock)  # npm adds `funding`: take it out again
    assert all(each.get("integrity") for each in packages)


def _state(module: ast.Module) -> Iterator[str]:
    """Yield what a module could change after import.

    A table in capitals passes, unless it is declared mutable, or is empty and not
    declared read-only.
    """
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                declared = ""
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=value):
                declared = ast.unparse(kind)
            case _:
                continue
        exempt = name.isupper() or name == "__all__"
        if (
            re.match(r"(Final\[)?(dict|list|set|deque|defaultdict)\b", declared)
            or (_is_mutable(value) and not exempt)
            or (_is_empty(value) and not re.match(READ_ONLY, declared))
        ):
            yield name
    yield from (
        f"global {', '.join(node.names)}"
        for node in ast.walk(module)
        if isinstance(node, ast.Global)
    )


def _is_mutable(value: ast.expr | None) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set():
            return True
        case ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in {"list", "dict", "set", "bytearray", "deque", "defaultdict"}
        case _:
            return False


def _is_empty(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(args=[]):
            return _is_mutable(value)
        case _:
            return False


@cache
def _names(module: ast.Module) -> frozenset[str]:
    """Return `module.name` for what is imported from or looked up in one, and methods."""
    return frozenset(_each_name(module))


def _each_name(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                yield f"{owner}.{name}"
                yield name
            case ast.Attribute(attr=name):
                yield name
            case ast.ImportFrom(module=str(owner), names=names):
                yield from (f"{owner}.{alias.name}" for alias in names)


def _online_schemas(module: ast.Module) -> Iterator[str]:
    """Yield the calls of jsonschema_rs that may fetch."""
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(module="jsonschema_rs", names=names):
                yield from (n.name for n in names if not n.name.endswith("Error"))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="jsonschema_rs"))):
                offline = [k.value for k in node.keywords if k.arg == "offline"]
                if [ast.unparse(value) for value in offline] != ["True"]:
                    yield f"line {node.lineno}: {ast.unparse(node)}"


def _error_codes(module: ast.Module, areas: set[str]) -> Iterator[str]:
    """Yield the literals that are error codes: by their area, or by their place."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)) if text.partition(".")[0] in areas:
                candidate = text
            case ast.keyword(arg="code", value=ast.Constant(value=str(text))):
                candidate = text
            case ast.Call(
                func=ast.Name(id=callee), args=[ast.Constant(value=str(text)), *_]
            ) if callee[:1].isupper():
                candidate = text
            case _:
                continue
        if ERROR_CODE.fullmatch(candidate):
            yield candidate
