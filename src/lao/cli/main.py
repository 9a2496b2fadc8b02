# SPDX-License-Identifier: Apache-2.0
"""The `lao` command: finds the command that was asked for and loads only that.

Start-up is a feature: the version and the overview are printed without importing
anything beyond this file, and each command imports what it uses.
"""

import sys
from typing import NoReturn

from lao.cli.commands import COMMANDS

# What start-up makes stays: looking through it for rubbish every 700 objects costs 5 %.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

_USAGE = """\
Usage: lao COMMAND [OPTIONS] …

LAO, the Local AI Orchestrator: chains of local models on this machine.

  lao demo
  lao chain "transcribe talk.wav | summarize | extract-entities"
  lao run workflow.yaml --input recording=talk.wav --model llama3.2
"""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    match arguments:
        case ["--version" | "-V"]:
            from lao import __version__

            _leave_with(f"lao {__version__}\n")
        case [] | ["--help" | "-h" | "help"]:
            _leave_with(_overview())
        case ["help", name]:
            arguments = [name, "--help"]
        case _:
            pass
    try:
        import gc

        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        from lao.cli.dispatch import dispatch

        code = dispatch(arguments[0], arguments[1:])
    except KeyboardInterrupt:  # before there was anybody to take care of it
        code = 130
    sys.exit(code)


def _overview() -> str:
    width = max(len(name) for name, _, _ in COMMANDS)
    lines = [f"  {name:<{width}}  {about}" for name, _, about in COMMANDS]
    return "\n".join(
        [
            _USAGE,
            "Commands:",
            *lines,
            "",
            "`lao COMMAND --help` tells more. `lao --version` prints the version.\n",
        ]
    )


def _leave_with(text: str) -> NoReturn:
    try:
        if sys.stdout is not None:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
    except OSError as error:
        from lao.cli.dispatch import io_failure

        sys.exit(io_failure(error))
    sys.exit(0)
