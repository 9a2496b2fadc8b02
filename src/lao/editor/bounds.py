# SPDX-License-Identifier: Apache-2.0
"""How much of a text the editor draws: one hostile file must not stop it for all others.

To read a text takes time that grows with its values, and the server does nothing else
meanwhile. So what would take seconds is shown as text only. The signs that make values
are counted, which is quick; texts within a value may hold some of them too.
"""

import re
from collections.abc import Sequence
from typing import Final

from lao.editor.edit_messages import EditMessage, PasteEdit
from lao.errors import UsageError

MOST_STEPS: Final = 1_000
_MOST_EDITS: Final = 2 * MOST_STEPS  # a new layout moves every step, and every input
_MOST_SIGNS: Final = 200_000
_STEP: Final = re.compile(r"""\bid["']?[ \t]*:""")


def require_drawable(text: str) -> None:
    """Refuse a text that is too much to be drawn; it can be seen and edited as text.

    Raises:
        UsageError: it is (`editor.too-much`).
    """
    signs = sum(map(text.count, ",:\n"))
    if signs <= MOST_STEPS:
        return
    if signs > _MOST_SIGNS or sum(1 for _ in _STEP.finditer(text)) > MOST_STEPS:
        raise UsageError(
            "editor.too-much",
            f"this is too much to be drawn or run here: over {MOST_STEPS:,} steps, or "
            "very many values",
            mend="edit it as text, or cut it into several files; `lao run` runs it",
        )


def require_few(edits: Sequence[EditMessage]) -> None:
    """Refuse edits that are too many at once: a clipboard can hold anything.

    Raises:
        UsageError: they are (`editor.too-many-edits`).
    """
    pasted = sum(len(each.steps) for each in edits if isinstance(each, PasteEdit))
    if len(edits) > _MOST_EDITS or pasted > MOST_STEPS:
        raise UsageError(
            "editor.too-many-edits",
            f"this is over {_MOST_EDITS:,} edits, or {MOST_STEPS:,} steps, at once",
            mend="make them in several parts, or as text",
        )
