"""The house keeps its walls: who may import whom, how long a page is, what is named where."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("jobs/*.py")])

#: Longest prefix of a module's name -> (third parties, ours). Standard library is free for all.
WALLS = {
    "pipeline": (set(), set()),
    "pipeline.members": (set(), set()),
    "pipeline.spelling": (set(), set()),
    "pipeline.grouping": (set(), {"pipeline.model"}),
    "pipeline.model": (set(), {"pipeline.members"}),
    "pipeline.errors": (set(), set()),
    "pipeline.lifecycle": (set(), {"pipeline.errors"}),
    "pipeline.billing": (set(), {"pipeline.bandwidth.error_codes"}),
    "pipeline.retrying": (set(), {"pipeline.bandwidth.error_codes"}),
    "pipeline.wishes": (set(), {"pipeline.bandwidth.error_codes", "pipeline.model"}),
    "pipeline.sections": ({"pydantic"}, {"pipeline.members", "pipeline.model"}),
    "pipeline.settings": (
        {"pydantic", "pydantic_core"},
        {"pipeline.grouping", "pipeline.model", "pipeline.errors", "pipeline.sections"},
    ),
    "pipeline.account": ({"pydantic"}, {"pipeline.errors"}),
    "pipeline.profiles": (set(), {"pipeline.errors"}),
    "pipeline.passing": (set(), set()),
    "pipeline.tables": ({"polars"}, {"pipeline.passing"}),
    "pipeline.reading": (
        {"polars"},
        {"pipeline.model", "pipeline.errors", "pipeline.passing", "pipeline.reading"},
    ),
    "pipeline.reading.encodings": ({"charset_normalizer"}, set()),
    "pipeline.reading.unpacking": (
        {"backports", "compression"},  # the standard library's, from 3.14 on
        {"pipeline.errors", "pipeline.reading.kinds"},
    ),
    "pipeline.reading.workbook": (
        {"fastexcel", "polars"},
        {"pipeline.model", "pipeline.errors", "pipeline.reading"},
    ),
    "pipeline.prepare": (
        {"polars", "phonenumbers"},
        {"pipeline.members", "pipeline.model", "pipeline.errors", "pipeline.prepare"},
    ),
    "pipeline.bandwidth.bodies": ({"msgspec"}, set()),
    "pipeline.bandwidth.wire": (
        {"msgspec", "httpx"},
        {"pipeline.model", "pipeline.errors", "pipeline.bandwidth.bodies"},
    ),
    "pipeline.bandwidth.verdict": (
        {"httpx"},
        {"pipeline.model", "pipeline.errors", "pipeline.bandwidth.wire"},
    ),
    "pipeline.bandwidth.error_codes": (set(), set()),
    "pipeline.bandwidth.media_types": (set(), set()),
    "pipeline.bandwidth": (
        {"httpx", "aiohttp", "anyio", "tenacity", "yarl"},
        {"pipeline.account", "pipeline.model", "pipeline.errors", "pipeline.bandwidth"},
    ),
    "pipeline.journal": (
        {"anyio", "filelock"},
        {
            "pipeline.members",
            "pipeline.model",
            "pipeline.lifecycle",
            "pipeline.errors",
            "pipeline.billing",
            "pipeline.journal",
            "pipeline.retrying",
            "pipeline.wishes",
        },
    ),
    "pipeline.dispatch": (
        {"anyio", "aiolimiter", "tenacity"},
        {"pipeline.model", "pipeline.errors", "pipeline.journal", "pipeline.dispatch"},
    ),
    "pipeline.settle": (
        {"anyio", "h11", "msgspec", "polars", "starlette", "uvicorn"},
        {
            "pipeline.account",
            "pipeline.errors",
            "pipeline.model",
            "pipeline.lifecycle",
            "pipeline.journal",
            "pipeline.wishes",
            "pipeline.bandwidth.client",
            "pipeline.bandwidth.connection",
            "pipeline.bandwidth.error_codes",
            "pipeline.bandwidth.listing",
            "pipeline.bandwidth.wire",
            "pipeline.prepare.alphabet",
            "pipeline.prepare.columns",
            "pipeline.prepare.segments",
            "pipeline.prepare.shards",
            "pipeline.prepare.smart",
            "pipeline.settle",
        },
    ),
    "pipeline.simulator": (
        {"aiohttp", "anyio", "msgspec", "starlette", "uvicorn"},
        {"pipeline.model", "pipeline.bandwidth.wire", "pipeline.simulator"},
    ),
    "pipeline.drafts": (
        set(),
        {
            "pipeline.barring",
            "pipeline.errors",
            "pipeline.estimate",
            "pipeline.passing",
            "pipeline.settings",
        },
    ),
    "pipeline.shrinking": ({"PIL"}, set()),
    "pipeline.uploads": (
        {"anyio"},
        {"pipeline.bandwidth", "pipeline.model", "pipeline.pictures"},
    ),
    "pipeline.pictures": (
        {"polars"},
        {
            "pipeline.bandwidth.media_types",
            "pipeline.errors",
            "pipeline.model",
            "pipeline.prepare",
            "pipeline.shrinking",
        },
    ),
    "pipeline.barring": (
        {"polars"},
        {
            "pipeline.errors",
            "pipeline.journal",
            "pipeline.lifecycle",
            "pipeline.model",
            "pipeline.prepare",
            "pipeline.reading",
            "pipeline.settings",
        },
    ),
    "pipeline.estimate": (
        {"polars"},
        {
            "pipeline.barring",
            "pipeline.errors",
            "pipeline.model",
            "pipeline.passing",
            "pipeline.pictures",
            "pipeline.prepare",
            "pipeline.reading",
            "pipeline.settings",
            "pipeline.tables",
        },
    ),
    "pipeline.sending_again": ({"polars"}, {"pipeline.journal", "pipeline.prepare"}),
    "pipeline.preview": ({"polars"}, {"pipeline.prepare"}),
    "pipeline.campaign": (
        {"polars"},
        {
            "pipeline.barring",
            "pipeline.dispatch",
            "pipeline.errors",
            "pipeline.estimate",
            "pipeline.journal",
            "pipeline.lifecycle",
            "pipeline.model",
            "pipeline.prepare",
            "pipeline.settle",
            "pipeline.tables",
        },
    ),
}

#: Imports nothing of ours, and is words only.
FOR_ALL = {"pipeline.spelling"}

#: What several commands share; everything else in jobs is a command, `cli` or `__main__`.
SHARED_BY_JOBS = {
    "jobs.accounts",
    "jobs.breakdown",
    "jobs.budgets",
    "jobs.console",
    "jobs.deciding",
    "jobs.dispatching",
    "jobs.doctor",
    "jobs.document",
    "jobs.drifting",
    "jobs.ending",
    "jobs.enlisted",
    "jobs.entry",
    "jobs.filters",
    "jobs.listings",
    "jobs.options",
    "jobs.progress",
    "jobs.settling",
    "jobs.signals",
    "jobs.summary",
}


#: How the commands are come to.
ENTRANCES = {"jobs.cli", "jobs.__main__"}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "__future__":
                continue

            if (ROOT / Path(*node.module.split(".")) / "__init__.py").exists():
                inside = {f.stem for f in (ROOT / Path(*node.module.split("."))).iterdir()}
                names = [alias.name for alias in node.names]
                yield from (f"{node.module}.{name}" for name in names if name in inside)
                if any(name not in inside for name in names):
                    yield node.module
            else:
                yield node.module


def within(name, prefixes):
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_a_module_imports_only_what_its_place_allows(path):
    module = module_of(path)
    if within(module, ["jobs"]):
        for name in imports_of(path):
            if (module, name) == ("jobs.entry", "jobs.cli"):
                continue

            if within(name, ["jobs"]) and name != "jobs":
                assert name in SHARED_BY_JOBS, f"{module} imports another job: {name}"

        return

    wall = max((prefix for prefix in WALLS if within(module, [prefix])), key=len)
    third_parties, ours = WALLS[wall]
    for name in imports_of(path):
        top = name.split(".")[0]
        if top == "pipeline":
            assert within(name, ours | FOR_ALL), f"{module} may not import {name}"
        elif top not in sys.stdlib_module_names:
            assert top in third_parties, f"{module} may not import {top}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_only_jobs_know_arguments_and_environment(path):
    if module_of(path).startswith("jobs"):
        return

    used = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not used & {"sys.argv", "os.environ", "os.getenv"}


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_a_page_can_be_read_in_one_sitting(path):
    text = path.read_text()
    assert text.startswith('"""'), "a module says what it knows"
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno - body[0].lineno + 1) if body else 0
            assert length <= 40, f"{node.name} has {length} lines"


def test_the_top_level_is_what_was_agreed():
    allowed = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"}
    allowed |= {"pipeline", "jobs", "tests", "samples"}
    made = {"out", "build", "dist", "bandcast.db", "bandcast.egg-info", "uv.lock"}
    names = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    assert names - made - {"bandcast.db-wal", "bandcast.db-shm"} == allowed


def test_every_command_has_a_file_and_every_file_is_a_command_or_shared():
    from jobs.cli import COMMANDS

    files = {module_of(path) for path in SOURCES if module_of(path).startswith("jobs.")}
    assert files == {f"jobs.{name}" for name in COMMANDS} | SHARED_BY_JOBS | ENTRANCES
