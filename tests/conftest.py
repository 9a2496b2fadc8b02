# SPDX-License-Identifier: Apache-2.0
"""How all tests run, and fixtures that many share."""

import compileall
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.models import make_tiny_gguf, make_tiny_whisper

import lao

# A shell that starts the tests in the background has them, and so all that they start,
# ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("slow", max_examples=500, deadline=None)
# That of hypothesis draws the same examples each time: half as many show as much.
settings.register_profile("ci", settings.get_profile("ci"), max_examples=50)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all processes of the tests share."""
    if hasattr(config, "workerinput"):
        return  # one of them does it
    config.option.loadscopereorder = False  # short files last: none is waited for
    # A locked worker can keep nothing, and would compile the same modules each time.
    compileall.compile_dir(Path(lao.__file__).parent, quiet=2)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests keep out of the user's folders."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "DATA", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        yield


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a language model that always gives the canned answer."""
    return make_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a speech model that always hears the canned transcript."""
    return make_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny.bin")
