# SPDX-License-Identifier: Apache-2.0
"""What the tests of the editor share: a real server, a real browser, and its witnesses."""

from collections.abc import Iterator

import pytest
from tests.browser.browsing import Browsing, find_chromium, started_chromium
from tests.browser.editing import Editor, Served, opened, page_is_built, serving


def pytest_collection_modifyitems(items):
    """Skip, visibly, where a real part cannot be had."""
    missing = ""
    if find_chromium() is None:
        missing = "no Chromium here; on Debian: apt install chromium"
    elif not page_is_built():
        missing = "the editor's page is not built; `make web` needs Node 20.19"
    for item in items:
        if missing and "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="module")
def browsing() -> Iterator[Browsing]:
    """Return one Chromium for the tests of a file.

    Not for longer: while it is there an event loop of its own runs in this thread, and
    the next file may want one too.
    """
    with started_chromium() as browser:
        yield Browsing(browser)


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    """Return `lao ui` on a folder of its own, on the small models that come with LAO."""
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def editor(browsing, served) -> Iterator[Editor]:
    """Return the page in a window of its own, on a server of its own."""
    with opened(browsing, served) as editor:
        yield editor


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Served]:
    """Return one `lao ui` for all tests of a module: each uses files of its own."""
    with serving(tmp_path_factory.mktemp("ui")) as server:
        yield server


@pytest.fixture
def desk(browsing, shared) -> Iterator[Editor]:
    """Return the page in a window of its own, on the module's server."""
    with opened(browsing, shared) as editor:
        yield editor
