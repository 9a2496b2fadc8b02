# SPDX-License-Identifier: Apache-2.0
"""What the tests of the editor share: a real server, a real browser, and its witnesses."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.browser.browsing import Browsing, find_chromium, started_chromium
from tests.browser.editing import Editor, Served, opened, page_is_built, serving

_RUNNING = pytest.StashKey[ExitStack]()
_BROWSING = pytest.StashKey[Browsing]()


def pytest_collection_modifyitems(items):
    """Skip, visibly, where a real part cannot be had."""
    missing = ""
    if find_chromium() is None:
        missing = "no Chromium here; on Debian: apt install chromium"
    elif not page_is_built():
        missing = "the editor's page is not built; `make web` needs Node 20.19"
    for item in items:
        if missing and _is_here(item):
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture
def browsing(request) -> Browsing:
    """Return the Chromium of all tests here that follow each other."""
    stash = request.config.stash
    if _BROWSING not in stash:
        stash[_RUNNING] = ExitStack()
        browser = stash[_RUNNING].enter_context(started_chromium())
        stash[_BROWSING] = Browsing(browser)
    return stash[_BROWSING]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """End Chromium before tests of another kind.

    While it is there an event loop of its own runs in this thread; they want theirs.
    """
    stash = item.config.stash
    if _BROWSING in stash and (nextitem is None or not _is_here(nextitem)):
        del stash[_BROWSING]
        stash[_RUNNING].close()


def _is_here(item) -> bool:
    return "tests/browser/" in item.nodeid


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
