# SPDX-License-Identifier: Apache-2.0
"""`lao schema`: the JSON Schema of workflow files, for editors and other programs."""

import json

import click

from lao.cli.options import common
from lao.cli.terminal import write_answer, write_note
from lao.workflow.document import workflow_json_schema

_HINT = """\
save it, and name it in the first line of a workflow; editors then complete and check:
  lao schema > lao.schema.json
  # yaml-language-server: $schema=lao.schema.json"""


@click.command(name="schema")
@common
def command(**flags: object) -> int:
    """Print the JSON Schema (2020-12) of workflow files."""
    schema = workflow_json_schema()
    write_answer(json.dumps(schema, ensure_ascii=False, indent=2) + "\n")
    if not flags.get("quiet"):
        write_note(_HINT)
    return 0
