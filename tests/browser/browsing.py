# SPDX-License-Identifier: Apache-2.0
"""A real Chromium, and a witness of all that a window asks for and complains of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

_DISABLED = (
    # Playwright's own: of two lists Chromium heeds the last alone.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay"),
    *("MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"),
    *("NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    # Two pages of the browser's own for each window, which nobody sees.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
)
_QUIET = (
    f"--disable-features={','.join(_DISABLED)}",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE = 20_000  # milliseconds, for what takes a moment on a machine that is free


def find_chromium() -> str | None:
    """Return the Chromium that is installed, or None."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser"))
    return next((path for path in found if path), None)


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """Start it without a window; as root its own sandbox cannot be had."""
    expect.set_options(timeout=_PATIENCE)
    arguments = [*_QUIET, "--no-sandbox"] if os.geteuid() == 0 else [*_QUIET]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=arguments
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """One window, with what it asked for and what it complained of."""

    page: Page
    origins: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    # Being told of a newer version than that which was asked for is no fault.
    expected: list[str] = field(default_factory=lambda: ["status of 409"])

    def note_request(self, request: Request) -> None:
        """Keep where a request went; blobs are the page's own memory."""
        address = urlsplit(request.url)
        if address.scheme not in ("blob", "data"):
            self.origins.add(f"{address.scheme}://{address.netloc}")

    def complaints(self) -> list[str]:
        """Return what the page threw or logged as an error, but for what is expected."""
        return [
            error
            for error in self.errors
            if not any(words in error for words in self.expected)
        ]


@dataclass(frozen=True)
class Browsing:
    """One Chromium; each window starts empty."""

    browser: Browser

    @contextmanager
    def window(self, *, width: int = 1440, height: int = 900) -> Iterator[Window]:
        """Open a window of its own, without anything of another's."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",  # what moves is not yet where it will be
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(_PATIENCE)
        window = Window(context.new_page())
        page = window.page
        page.on("request", window.note_request)
        page.on("pageerror", lambda error: window.errors.append(str(error)))
        page.on(
            "console",
            lambda said: (
                said.type == "error"
                and window.errors.append(f"{said.text} ({said.location['url']})")
            ),
        )
        try:
            yield window
        finally:
            context.close()
