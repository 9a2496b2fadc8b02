# SPDX-License-Identifier: Apache-2.0
"""Saying that a run can go on, and how."""

from typing import TYPE_CHECKING

from lao.cli.terminal import write_note
from lao.durable import Prepared
from lao.errors import LaoError

if TYPE_CHECKING:
    from lao.store.opening import Store


def hint_at_interrupted(store: "Store", prepared: Prepared) -> None:
    """Say so if the latest run of the same workflow was cut off."""
    name = prepared.plan.name
    for record in store.runs.listed(workflow=name, limit=1):
        if record.status == "interrupted" and record.source == prepared.source:
            write_note(
                f"note: run {record.name} of this workflow was cut off; "
                f"`lao runs resume {record.name}` goes on with it"
            )


def can_go_on(store: "Store | None", run: str) -> bool:
    """Whether a run was entered and is not done."""
    if store is None:
        return False
    try:
        return store.runs.find(run).status != "done"
    except LaoError:
        return False


def how_to_go_on(store: "Store | None", run: str) -> str | None:
    """Say how to go on with a run that is not done; None if it was not kept."""
    if store is None:
        return None
    try:
        name = store.runs.find(run).name
    except LaoError:
        return None
    return f"what is finished is kept: `lao runs resume {name}` goes on from there"
