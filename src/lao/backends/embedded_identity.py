# SPDX-License-Identifier: Apache-2.0
"""Names the models that come with LAO by their sources, without importing them."""

import re
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from lao.backends.packages import require_package

_HERE = Path(__file__).parent
_IMPORTS = re.compile(rb"^from lao\.backends\.([\w.]+) import", re.MULTILINE)


def embedded_digest(name: str) -> str:
    """Return "sha256:…" of what an embedded model is made of. Reads files: blocks.

    That is its module, what this imports of LAO's own, and the data beside; for
    speech also the version of pocketsphinx and the sizes of its models.

    Raises:
        ModelUnavailable: `model.missing-package`.
    """
    require_package(name)
    hasher = sha256()
    for path in [*_sources(f"embedded.{name}"), *sorted(_HERE.glob("embedded/*.txt"))]:
        hasher.update(sha256(path.read_bytes()).digest())
    if name == "speech":
        hasher.update(repr(_pocketsphinx()).encode())
    return f"sha256:{hasher.hexdigest()}"


def _sources(module: str) -> list[Path]:
    """Return the files of a module and of all that it imports of the backends."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _HERE.joinpath(*name.split(".")).with_suffix(".py")
            imports = _IMPORTS.findall(found[name].read_bytes())
            waiting += [each.decode() for each in imports]
    return [found[name] for name in sorted(found)]


def _pocketsphinx() -> tuple[list[str], list[tuple[str, int]]]:
    """Return the version of the package, and its models' files with their sizes."""
    spec = find_spec("pocketsphinx")
    folders = spec.submodule_search_locations if spec is not None else None
    package = Path(next(iter(folders or [""])))
    versions = package.parent.glob("pocketsphinx-*.dist-info")
    models = (path for path in (package / "model").rglob("*") if path.is_file())
    sizes = [
        (path.relative_to(package).as_posix(), path.stat().st_size) for path in models
    ]
    return sorted(each.name for each in versions), sorted(sizes)
