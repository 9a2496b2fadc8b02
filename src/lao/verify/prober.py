# SPDX-License-Identifier: Apache-2.0
"""A model that carries out attempts: what a hostile one could try in its worker."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lao.verify.attempt import bait_from_json, perform
from lao.verify.catalogue import CATALOGUE
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.values import JsonValue


class Prober:
    """Takes `{"attempt": NAME, "bait": {…}}` and answers with the outcome."""

    def describe(self) -> ModelDescription:
        """Say what this is."""
        return ModelDescription(name="prober")

    def load(self, _options: Mapping[str, JsonValue]) -> None:
        """Need nothing."""

    def infer(self, request: ModelRequest, _report: Report) -> ModelReply:
        """Carry out one attempt in this process."""
        asked: Any = request.input  # of `lao verify` itself
        wanted = next(each for each in CATALOGUE if each.name == asked["attempt"])
        outcome = perform(wanted, bait_from_json(asked["bait"]))
        return ModelReply(value=asdict(outcome), made_by="prober")
