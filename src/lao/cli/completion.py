# SPDX-License-Identifier: Apache-2.0
"""`lao completion SHELL`: a script with which a shell completes `lao` commands.

The scripts ask `lao completion --words -- WORD…` for candidates, one a line; the last
word is the one being typed. No candidates means: file names. A person waits for each
answer, so this imports as little as it can, and takes no settings.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from lao.cli.candidates import SHELLS, candidates
from lao.cli.terminal import write_answer
from lao.errors import UsageError

SCRIPTS: Final = Path(__file__).with_name("completions")


@click.command(name="completion", context_settings={"ignore_unknown_options": True})
@click.option("--words", "asks", is_flag=True, hidden=True)
@click.argument("words", nargs=-1, metavar="bash|zsh|fish", type=click.UNPROCESSED)
def command(words: Sequence[str], *, asks: bool) -> int:
    """Print a script with which a shell completes commands, options and names.

    \b
    bash:  eval "$(lao completion bash)"     in ~/.bashrc
    zsh:   eval "$(lao completion zsh)"      in ~/.zshrc, after compinit
    fish:  lao completion fish > ~/.config/fish/completions/lao.fish
    """
    if asks:
        write_answer("".join(f"{each}\n" for each in candidates(list(words))))
        return 0
    if len(words) != 1 or words[0] not in SHELLS:
        raise UsageError(
            "completion.unknown-shell",
            f"there is no script for {' '.join(words) or 'no shell'}",
            mend=f"one of: {', '.join(SHELLS)}",
        )
    write_answer((SCRIPTS / f"lao.{words[0]}").read_text("utf-8"))
    return 0
