"""The house rules that no linter knows."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from connectme import settings
from inbox.dispatch import HANDLERS
from store import tables
from web.api import coverage
from web.api.routes import defined
from web.api.spec import SPECS

ROOT = Path(__file__).parent.parent
PACKAGES = [
    "benchmarks",
    "connectme",
    "federation",
    "inbox",
    "migrations",
    "ops",
    "outbox",
    "social",
    "store",
    "web",
]
FILES = [path for package in PACKAGES for path in ROOT.glob(f"{package}/**/*.py")]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_says_what_it_is_for(path):
    assert path.read_text().startswith('"""')


@pytest.mark.parametrize("path", FILES, ids=named)
def test_what_takes_a_transaction_neither_waits_nor_ends_it(path):
    if path.parent.name == "store":
        return
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            takes = [a.arg for a in function.args.args if ast.unparse(a.annotation or a) == "Connection"]
            first = next((a.arg for a in function.args.args if a.arg != "self"), None)
            assert not takes or (takes == ["tx"] and first == "tx"), function.name
            assert not (takes and isinstance(function, ast.AsyncFunctionDef)), function.name
            calls = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
            assert not calls & {"tx.begin", "tx.commit", "tx.rollback", "tx.close"}, function.name


@pytest.mark.parametrize("row", tables.ROWS, ids=lambda row: row.__name__)
def test_the_fields_of_a_row_are_the_columns_of_its_table(row):
    assert [field.name for field in fields(row)] == tables.ROWS[row].c.keys()


def test_every_activity_we_handle_is_in_federation_md():
    promised = (ROOT / "FEDERATION.md").read_text()
    assert [kind for kind in HANDLERS if f"`{kind}`" not in promised] == []


def test_federation_md_promises_no_activity_that_we_do_not_handle():
    table = (ROOT / "FEDERATION.md").read_text().partition("| activity |")[2].partition("\n\n")[0]
    promised = [kind for row in table.splitlines()[2:] for kind in re.findall(r"`([\w/]+)`", row.split("|")[1])]
    assert sorted(promised) == sorted(HANDLERS)


def test_every_setting_is_explained():
    explained = (ROOT / "docs/admin/settings.md").read_text().upper()
    assert [name for name in settings.names() if name.upper() not in explained] == []


def test_the_list_of_the_api_is_what_there_is():
    file = ROOT / "docs/api-coverage.md"
    assert file.read_text() == coverage.whole(file, coverage.endpoints(ROOT / "docs/mastodon-api.tsv")), "make docs"


def test_every_route_of_the_api_says_what_it_takes_and_answers():
    assert [route.path for route in defined() if route.handler not in SPECS] == []


def test_every_decision_has_a_number_of_its_own_and_says_it():
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    said = [file.read_text().partition(": ")[0].removeprefix("# ") for file in decisions]
    assert said == [file.name[:4] for file in decisions] == [f"{number:04}" for number in range(1, len(said) + 1)]


def test_every_page_that_a_page_names_is_there():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    named = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())]
    assert [f"{page.name}: {link}" for page, link in named if not (page.parent / link).exists()] == []
