"""A page that draws itself again asks the stores for versions only: it opens and reads no table, and parses no YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from tests.stores.plugged_in import one_place, plugged_in
from workbench import plugins
from workbench.config import parsed
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parents[2] / "workbench/ui/main.py"
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""
VERSIONS_ONLY = {"tables", "version"}


@pytest.fixture(autouse=True)
def _plugged() -> Iterator[None]:
    with plugged_in():
        yield


@pytest.fixture
def server(here: Workspace, tmp_path: Path) -> Any:
    """Two tables on a server that counts what it is asked."""
    address = str(tmp_path / "server.db")
    store = plugins.build("stores", "one_place", {"address": address})
    for number in range(3):
        here.add(f"{number}.txt", f"Tram {number} leaves at nine. It reaches the depot at ten.".encode())
    for name, size in (("Small", 9), ("Large", 60)):
        here.tables.build(replace(parsed(CONFIG.format(name=name, size=size)), store=store))
    return one_place().SERVERS[address]


def opened(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page(f"../../pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a text was parsed as YAML."""
    found: Counter[str] = Counter()
    compose = yaml.composer.Composer.get_single_node

    def counting(self: yaml.composer.Composer) -> Any:
        found["yaml"] += 1
        return compose(self)

    monkeypatch.setattr(yaml.composer.Composer, "get_single_node", counting)
    return found


@pytest.mark.parametrize("page", ["search", "tables", "evaluate"])
def test_a_rerun_opens_no_table_parses_no_yaml_and_reads_no_states(
    server: Any, parses: Counter[str], page: str
) -> None:
    app = opened(page, q="depot", tables="Small")
    assert not app.exception
    assert server.asked["states"]
    server.asked.clear()
    parses.clear()
    app.run()
    assert not app.exception
    assert set(server.asked) == VERSIONS_ONLY
    assert not parses


def test_what_another_process_wrote_is_seen_at_the_next_rerun(here: Workspace, server: Any) -> None:
    app = opened("tables")
    assert [m.value for m in app.markdown if "Documents" in m.value] == [
        ":small[:gray[Documents]]  \n3 of 3" for _ in range(2)
    ]
    other = Workspace(here.folder)
    for row in other.tables.rows():
        assert row.config is not None
        other.tables.table(row.config).drop_documents([other.documents()[0].id])
    app.run()
    assert all("2 of 3" in m.value for m in app.markdown if "Documents" in m.value)


def test_tables_in_files_are_not_opened_again_either(
    here: Workspace, parses: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.add("a.txt", b"Tram 1 leaves at nine. It reaches the depot at ten.")
    here.tables.build(parsed(CONFIG.format(name="Files", size=9)))
    app = opened("search", q="depot", tables="Files")
    opens: list[str] = []
    open_table = lancedb.db.LanceDBConnection.open_table

    def counting(self: Any, name: str, *rest: Any, **named: Any) -> Any:
        opens.append(name)
        return open_table(self, name, *rest, **named)

    monkeypatch.setattr(lancedb.db.LanceDBConnection, "open_table", counting)
    parses.clear()
    app.run()
    assert not app.exception
    assert (opens, dict(parses)) == ([], {})
    Workspace(here.folder).tables.table(parsed(CONFIG.format(name="Files", size=9))).drop_documents(
        [here.documents()[0].id]
    )
    opens.clear()
    app.run()
    assert opens, "the table has another version"


@pytest.mark.parametrize("page", ["search", "tables", "evaluate", "documents", "map", "questions", "export"])
def test_a_page_shows_the_other_stores_while_one_is_down_and_names_it(
    here: Workspace, server: Any, page: str
) -> None:
    here.tables.build(parsed(CONFIG.format(name="Files", size=9)))
    server.down = True
    here.delete([here.documents()[0].id])
    app = opened(page)
    assert not app.exception
    said = [warning.value for warning in app.warning]
    if page in ("search", "tables", "evaluate", "map"):
        assert any("2 tables cannot be reached" in text for text in said)
    if page in ("search", "tables", "evaluate", "map", "documents"):
        assert any("1 document may still have rows that are to be deleted" in text for text in said)
