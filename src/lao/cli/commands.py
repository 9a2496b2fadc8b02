# SPDX-License-Identifier: Apache-2.0
"""The commands of `lao`: name, module, and what each does in a line."""

COMMANDS = (
    ("run", "lao.cli.run", "Run a workflow file"),
    ("chain", "lao.cli.chain", "Run a chain of steps written in one line"),
    ("check", "lao.cli.check", "Find every problem of a workflow; runs nothing"),
    ("ui", "lao.cli.ui", "Draw, check, run and watch workflows in a page"),
    ("demo", "lao.cli.demo", "Show the main job on a bundled recording"),
    ("new", "lao.cli.new", "Start a workflow file from an example"),
    (
        "runs",
        "lao.cli.runs",
        "List the runs that are kept; go on with one, or forget it",
    ),
    ("cache", "lao.cli.cache", "Say how many results are kept, or forget some"),
    ("models", "lao.cli.models", "List the models that can run here and now"),
    ("recipes", "lao.cli.recipes", "List ready-made steps, or show one"),
    ("plugins", "lao.cli.plugins", "List the plugins that are installed"),
    (
        "plugin",
        "lao.cli.plugin",
        "Add, trust, write, check or remove a plugin",
    ),
    ("schema", "lao.cli.schema", "Print the JSON Schema of workflow files"),
    ("doctor", "lao.cli.doctor", "Say what works here and how to mend the rest"),
    ("verify", "lao.cli.verify", "Prove on this machine that the locks hold"),
    ("completion", "lao.cli.completion", "Print a completion script for a shell"),
)
