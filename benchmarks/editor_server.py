# SPDX-License-Identifier: Apache-2.0
"""A `lao ui` to measure, and a client of what it answers."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from tests.browser.editing import Served, serving


@contextmanager
def server(
    *files: tuple[str, str], environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run `lao ui` on a new folder with these files."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        base = Path(folder)
        (base / "work").mkdir()
        for name, text in files:
            (base / "work" / name).write_text(text, "utf-8")
        with serving(base, environment=environment) as served:
            yield served


class Asking:
    """A client of the API, with a session of its own."""

    def __init__(self, served: Served) -> None:
        served.new_link()
        self._served = served

    def __call__(self, path: str, body: object = None) -> dict[str, object]:
        """Ask, by POST if there is a body; return the answer."""
        headers = {"Authorization": f"Bearer {self._served.token}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers |= {
                "Content-Type": "application/json",
                "Origin": self._served.origin,
            }
        request = Request(self._served.origin + path, data, headers)  # noqa: S310
        with urlopen(request, timeout=60) as reply:  # noqa: S310
            return dict(json.load(reply))


def edits_of(step: str, number: int) -> Mapping[str, dict[str, object]]:
    """Return an edit of each kind, of a step that fills in a template."""
    return {
        "place of a step": {
            "kind": "set-position",
            "node": step,
            "x": number,
            "y": number,
        },
        "a parameter": {
            "kind": "set-value",
            "path": ["steps", step, "input"],
            "value": f"{number} follows {{{{ s1 }}}}",
        },
        "a connection": {
            "kind": "connect",
            "source": "s3",
            "target": step,
            "port": "input",
        },
    }


def at(document: Mapping[str, object]) -> dict[str, object]:
    """Return the words that name the version of a document."""
    return {"path": document["path"], "version": document["version"]}
