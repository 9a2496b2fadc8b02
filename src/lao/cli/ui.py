# SPDX-License-Identifier: Apache-2.0
"""`lao ui [DIR]`: the visual editor, in a page that only this machine's browser can open."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct

from lao.cli.confined import confined
from lao.cli.options import common, settings_from
from lao.cli.terminal import is_terminal, require_stdout, write_answer, write_note
from lao.config import Settings, shows_browser
from lao.errors import UsageError
from lao.runtime import locality_of, open_store

if TYPE_CHECKING:
    from lao.editor.folder import Folder
    from lao.isolation.confinement import Confinement
    from lao.server.site import Site
    from lao.store.opening import Store

_WAIT: Final = 1.0  # seconds until a terminal is asked again whether we are in front


@click.command(name="ui")
@click.argument("place", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Listen on this port of 127.0.0.1.  [default: any free one]",
)
@click.option(
    "--socket",
    "path",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Listen on a unix socket instead, in a folder that only you may enter.",
)
@click.option(
    "--ephemeral",
    is_flag=True,
    help="Keep nothing of runs: no journal, no cache, no temporary file on disk.",
)
@click.option(
    "--require-no-cloud",
    is_flag=True,
    default=None,
    help="Refuse an Ollama server that has not switched its cloud off.",
)
@click.option(
    "--accept-no-isolation",
    is_flag=True,
    default=None,
    help="Serve although the kernel here cannot lock a process; not advised.",
)
@common
def command(
    place: Path,
    *,
    no_browser: bool,
    port: int | None,
    path: Path | None,
    **flags: object,
) -> int:
    """Draw, check, run and watch the workflows of a folder in a page of your browser.

    DIR is the folder, or a workflow file in it; the current folder if left out. The page
    is served to this machine alone. Its address, a link that works once, is the only
    thing printed to standard output. Ctrl-C ends the server, with exit code 0.

    \b
    lao ui
    lao ui meetings/ --no-browser
    lao ui --socket "$XDG_RUNTIME_DIR/lao.sock"
    """
    require_stdout()
    if path is not None and port is not None:
        raise UsageError(
            "usage.bad-option",
            "--port and --socket exclude each other",
            mend="leave one of them out",
        )
    settings = settings_from(flags)
    quiet = bool(flags.get("quiet"))
    has_browser = not no_browser and path is None and shows_browser()
    with ExitStack() as stack:
        _serve(stack, settings, Order(place, port or 0, path, has_browser, quiet))
    return 0


class Order(Struct, frozen=True):
    """What was asked for: what to open, where to listen, how much to tell."""

    place: Path
    port: int
    socket: Path | None
    has_browser: bool
    quiet: bool


def _serve(stack: ExitStack, settings: Settings, order: Order) -> None:
    """Gather what is outside of the lock, lock this process, serve until Ctrl-C."""
    from lao.server.listening import listen
    from lao.server.reach import models_in_reach
    from lao.server.sessions import Links
    from lao.server.static_files import BUILT, read_page
    from lao.server.tokens import Tokens

    _require_lock(settings)
    folder, file = _opened(order.place)
    page = read_page(BUILT)
    listener = stack.enter_context(listen(port=order.port, path=order.socket))
    links = Links(tokens=Tokens(), url=listener.url, file=file)
    store = None if settings.ephemeral else stack.enter_context(open_store(settings))
    models = models_in_reach(folder, settings)
    first = links.new()
    forget = _browser(stack, settings, first) if order.has_browser else _nothing
    confinement = stack.enter_context(confined(settings, models, asks_server=True))
    from lao.server.site import Site  # half of all imports: while the browser starts

    site = Site(
        folder=folder,
        settings=settings,
        page=page,
        listener=listener,
        links=links,
        signed_in=forget,
    )
    if not order.quiet:
        _tell(folder, locality_of(confinement).words, order)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        write_answer(f"{first}\n")
        asyncio.run(_until_ended(site, confinement, store))
    if not order.quiet:
        write_note("ended")


async def _until_ended(
    site: "Site", confinement: "Confinement", store: "Store | None"
) -> None:
    from lao.server.site import serve

    _end_between_requests()
    with _enter_pressed(lambda: write_answer(f"{site.links.new()}\n")):
        await serve(site, confinement=confinement, store=store)


def _end_between_requests() -> None:
    """Let SIGTERM and SIGHUP end the server as Ctrl-C does, never within a request.

    What is raised there counts as a failure of the request, and the server would go on.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (a coroutine runs in one)
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)


def _browser(stack: ExitStack, settings: Settings, link: str) -> Callable[[], None]:
    """Have a browser open a link; return what to do once it has."""
    from lao.server.opening_browser import opened_in_browser

    place = settings.folders.data / "editor"
    return stack.enter_context(opened_in_browser(link, place))


def _nothing() -> None:
    """Do what there is to do without a browser."""


def _require_lock(settings: Settings) -> None:
    """Refuse before a browser is opened what would be refused after it."""
    from lao.isolation.launching import refuse_none
    from lao.isolation.levels import foresee

    refuse_none(foresee(), accept_none=settings.accept_no_isolation)


def _opened(place: Path) -> tuple["Folder", str]:
    """Return the folder to open, and the file in it to show, "" for none."""
    from lao.editor.folder import Folder

    if not place.is_file():
        return Folder(place), ""
    folder = Folder(place.parent)
    path = folder.relative(folder.root / place.name)
    folder.resolve(path)
    return folder, path


def _tell(folder: "Folder", locality: str, order: Order) -> None:
    write_note(f"folder: {folder.root}")
    write_note(f"locality: {locality}")
    if order.socket is not None:
        write_note(
            f"socket: {order.socket}; lead a port to it, such as "
            f"`ssh -L 8080:{order.socket} HOST`, and write that port into the link"
        )
    again = "; Enter prints another" if is_terminal(sys.stdin) else ""
    write_note(f"Ctrl-C ends; the link works once{again}")


@contextmanager
def _enter_pressed(act: Callable[[], None]) -> Iterator[None]:
    """Act whenever Enter is pressed in the terminal, while this process is in front."""
    if not is_terminal(sys.stdin):
        yield
        return
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not _is_in_front(terminal):  # reading would stop this process
            loop.remove_reader(terminal)
            loop.call_later(_WAIT, loop.add_reader, terminal, read)
        elif os.read(terminal, 4096):
            act()
        else:
            loop.remove_reader(terminal)

    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)


def _is_in_front(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # a terminal, but not the one that controls this process
        return True
