# SPDX-License-Identifier: Apache-2.0
"""What no plugin can be given to read, whatever it asks for and whoever trusts it."""

from pathlib import Path
from typing import Final

from lao.errors import RefusedByPolicy
from lao.workflow.plugins import PluginManifest

_NEVER: Final = ("proc", "dev", "sys")


def holds_too_much(path: Path) -> bool:
    """Whether an absolute path is the top of everything, or holds the home folder."""
    try:
        home = Path("~").expanduser()
    except RuntimeError:  # there is no home folder
        home = Path("/")
    return len(path.parts) == 1 or path.parts[1] in _NEVER or home.is_relative_to(path)


def require_reach(manifest: PluginManifest, data: Path) -> None:
    """Look where the paths lead that a plugin asks to read, now that links are followed.

    LAO's data folder holds the prompts and the answers of other runs.

    Raises:
        RefusedByPolicy: `plugin.reads-too-much`.
    """
    kept = data.resolve()
    for asked in manifest.read:
        place = Path(asked).resolve()
        if holds_too_much(place):
            raise _too_much(manifest, asked, place, "more than a plugin can be shown")
        if place.is_relative_to(kept) or kept.is_relative_to(place):
            raise _too_much(manifest, asked, place, "the folder of LAO's history")


def _too_much(
    manifest: PluginManifest, asked: str, place: Path, what: str
) -> RefusedByPolicy:
    leads = "" if str(place) == asked else f", which leads to {str(place)!r}"
    return RefusedByPolicy(
        "plugin.reads-too-much",
        f"the plugin {manifest.name!r} asks to read {asked!r}{leads}: {what}",
        mend="name the file or the folder that it needs under `read` in its manifest",
    )
