# SPDX-License-Identifier: Apache-2.0
"""What the latest result of each step was made of: why a forecast says `will run`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lao.durable import Prepared
from lao.events import StepFinished

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord

_RUNS: Final = 20  # to look through for the latest result of each step

Ingredients = Mapping[str, Mapping[str, str]]
"""A short digest of each thing that could change a result, by step."""


def earlier_ingredients(
    store: "Store",
    prepared: Prepared,
    of: "Callable[[Store, RunRecord], Ingredients] | None" = None,
) -> Ingredients:
    """Return what each step's latest result was made of, where a run still tells.

    Any other chain tells something of one: its steps are named after what they do.
    `of` reads a run, where somebody remembers what was read.
    """
    read = of or ingredients_of
    found: dict[str, Mapping[str, str]] = {}
    for record in store.runs.listed(workflow=prepared.plan.name, limit=_RUNS):
        if prepared.source_digest and record.source != prepared.source:
            continue
        found = {**read(store, record), **found}
        if found.keys() >= prepared.plan.steps.keys():
            break
    return found


def ingredients_of(store: "Store", record: "RunRecord") -> Ingredients:
    """Return what the results of a run were made of, those of models alone."""
    facts = (event.fact for event in store.runs.each_event(record))
    return {
        fact.step: fact.ingredients
        for fact in facts
        if isinstance(fact, StepFinished) and fact.ingredients
    }
