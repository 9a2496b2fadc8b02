# SPDX-License-Identifier: Apache-2.0
"""A custom model that says that it has begun, and goes on for ever if it is asked to."""

import time

from lao.workflow.inference import ModelDescription, ModelReply


class Busy:
    def load(self, options):
        pass

    def describe(self):
        return ModelDescription(name="busy")

    def infer(self, request, report):
        report.text("begun")
        while request.prompt == "for ever":
            time.sleep(60)
        return ModelReply(value="done", made_by="busy")
