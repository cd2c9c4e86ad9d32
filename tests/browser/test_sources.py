"""A table, a web site and a bucket in a real browser, each from a real server: tried, added, planned, synced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW_MS, choose, go
from tests.browser.test_pipeline import opened, press, typed
from tests.web_site import Site, serving
from workbench import plugins
from workbench.config import Config
from workbench.ui.pipelines import pipeline_files
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "AWS_DEFAULT_REGION": "us-east-1",
}
ROWS = "ticket,subject,body\nT-1,Door,The door of tram four sticks in winter.\nT-2,Bell,The bell is silent.\n"
BAD_ROW = "T-3,one cell is missing here\n"


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    pipeline_files.saved(
        workspace,
        Config(
            "desk",
            plugins.build("chunkers", "nltk_sentences", {"size_tokens": 40}),
            plugins.build("embedders", "hashing", {"dimension": 256}),
        ),
    )
    return workspace


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        found.put("/robots.txt", "User-agent: *\nDisallow: /private/\n")
        pages = ("guide", "fares", "private/x")
        for name in pages:
            text = f"<title>{name}</title><main>All about {name} of the harbour line.</main>"
            found.put(f"/{name}", text, Content_Type="text/html")
        listed = "".join(f"<url><loc>{{site}}/{name}</loc></url>" for name in pages)
        found.put("/sitemap.xml", f"<urlset>{listed}</urlset>")
        yield found


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """Yield the address of a server that speaks S3, and a client; the bucket ``library`` holds two texts."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="library")
    for key in ("handbook/rules.txt", "handbook/keys.txt", "elsewhere/x.txt"):
        client.put_object(Bucket="library", Key=key, Body=f"What {key} says of depots.".encode())
    yield f"http://{host}:{port}", client
    server.stop()


def add(page: Page, kind: str, settings: dict[str, str], more: dict[str, str], *seen: str) -> None:
    """Try a new source, see what it says, look at its first text, and add it."""
    press(page, "Add a source")
    choose(page, "Kind", kind)
    for label, text in settings.items():
        typed(page, label, text)
    if more:
        opened(page, "More settings")
        for label, text in more.items():
            typed(page, label, text)
    press(page, "Try it first")
    for text in seen:
        page.get_by_text(text).last.wait_for(timeout=SLOW_MS)
    press(page, "Add it")
    page.get_by_role("button", name="Add a source").wait_for()


def planned(page: Page, **counts: int) -> None:
    press(page, "See what a sync would do")
    page.get_by_role("button", name="Sync now").wait_for(timeout=SLOW_MS)
    for label, count in counts.items():
        metric = page.get_by_test_id("stMetric").filter(has_text=label.capitalize())
        expect(metric.get_by_test_id("stMetricValue")).to_have_text(str(count))


def test_a_table_a_site_and_a_bucket_are_tried_added_and_synced(
    serve: Callable[..., str],
    here: Workspace,
    tmp_path: Path,
    site: Site,
    bucket: tuple[str, Any],
    new_page: Callable[..., Page],
) -> None:
    service, client = bucket
    table = tmp_path / "tickets.csv"
    table.write_text(ROWS + BAD_ROW)
    page = new_page(1440, 1600)
    page.goto(
        serve(
            WORKBENCH_WORKSPACE=str(here.folder),
            WORKBENCH_ALLOW_HOSTS="127.0.0.1",
            WORKBENCH_WARM_UP="off",
            **CREDENTIALS,
        )
    )
    go(page, "Sources")
    columns = {"Column with the id": "ticket", "Columns with the text": "subject, body"}
    add(
        page,
        "Table (CSV)",
        {"Path": str(table), **columns},
        {},
        "It can be reached: 2 items",
        "tickets.csv, row 4 has 2 cells, and the header has 3",
        "a sync removes no document of this source",
    )
    add(
        page,
        "Web site (sitemap)",
        {"Address": f"{site.url}/sitemap.xml"},
        {},
        "It can be reached: 2 items",
        "private/x is not read: the site's robots.txt asks not to",
    )
    add(
        page,
        "Bucket (S3)",
        {"Bucket": "library"},
        {"Prefix": "handbook/", "Address of the service": service},
        "It can be reached: 2 items",
    )
    (file,), _ = pipeline_files.files(here)
    assert [source.name for source in file.config.sources] == ["csv_file", "sitemap", "s3"]
    assert "hunter2" not in file.path.read_text()

    planned(page, add=6)
    expect(
        page.get_by_text("1 that could not be listed, so what is missing is removed only if")
    ).to_be_visible()
    press(page, "Sync now")
    page.get_by_text("Sync desk: 6 added").first.wait_for(timeout=SLOW_MS)

    # The row is mended, a page and an object go, and the site is down when all of this is looked at.
    table.write_text(ROWS + "T-3,Lamp,The lamp flickers.\n")
    client.delete_object(Bucket="library", Key="handbook/keys.txt")
    site.put("/sitemap.xml", b"", 404)
    planned(page, add=1, remove=1, keep=5)
    expect(page.get_by_text("could not be listed, so nothing of it is changed")).to_be_visible()
    press(page, "Sync now")
    page.get_by_text("1 added, 5 unchanged, 1 removed").first.wait_for(timeout=SLOW_MS)
    items = {item_id.rpartition("/")[2] for _, item_id in file.pipeline(here).ledger.items("desk")}
    assert items == {"T-1", "T-2", "T-3", "guide", "fares", "rules.txt"}


def test_a_source_that_does_not_answer_can_be_left_and_a_refused_address_says_how_to_allow_it(
    serve: Callable[..., str], here: Workspace, site: Site, new_page: Callable[..., Page]
) -> None:
    site.pages["/slow.xml"] = lambda visitor: site.closing.wait()
    page = new_page(900, 1200)
    page.goto(
        serve(
            WORKBENCH_WORKSPACE=str(here.folder),
            WORKBENCH_ALLOW_HOSTS=site.allowed,
            WORKBENCH_WARM_UP="off",
        )
    )
    go(page, "Sources")
    press(page, "Add a source")
    choose(page, "Kind", "Web site (sitemap)")
    typed(page, "Address", f"{site.url}/slow.xml")
    press(page, "Try it first")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=SLOW_MS)
    typed(page, "Address", "http://127.0.0.1:1/sitemap.xml")
    press(page, "Try it first")
    page.get_by_text("an address of this machine. Whoever runs this program can allow it").wait_for(
        timeout=SLOW_MS
    )
