# SPDX-License-Identifier: Apache-2.0
"""A plugin that tries to get its input out; `senders.py` is put beside it."""

from senders import try_all

from lao.plugins.api import PluginInput, PluginOutput


class Hostile:
    name = "hostile"

    def process(self, given: PluginInput) -> PluginOutput:
        return PluginOutput(value=try_all(given.value))
