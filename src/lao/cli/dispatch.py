# SPDX-License-Identifier: Apache-2.0
"""Loads one command, runs it, and turns every ending into an exit code and words."""

import importlib
import signal
import sys
import traceback
from types import FrameType

import click

from lao.cli.commands import COMMANDS
from lao.cli.terminal import give_up, write_note
from lao.errors import LaoError, Problem, did_you_mean

INTERRUPTED = 130
_USAGE = 2
_MOST_SHOWN = 120  # characters of surplus arguments


def dispatch(name: str, arguments: list[str]) -> int:
    """Run the command `name`; return its exit code."""
    modules = {each: module for each, module, _ in COMMANDS}
    if name not in modules:
        return _complain(
            Problem(
                code="usage.unknown-command",
                what=f"lao has no command {name!r}",
                mend=did_you_mean(name, modules) + " (see `lao --help`)",
            ),
            _USAGE,
        )
    debug = "--debug" in arguments
    _end_as_if_interrupted()
    try:
        command: click.Command = importlib.import_module(modules[name]).command
        # Not `command.main`: it has its own mind about broken pipes and exit codes.
        with command.make_context(
            f"lao {name}", list(arguments), help_option_names=["-h", "--help"]
        ) as context:
            result = command.invoke(context)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        return _complain(_usage_problem(error), _USAGE)
    except (KeyboardInterrupt, click.Abort) as stop:
        for note in ("interrupted", *getattr(stop, "__notes__", ())):
            write_note(note)
        return INTERRUPTED
    except LaoError as error:
        if debug:
            _show_traceback(error)
        for problem in error.problems:
            write_note(str(problem))
        return error.exit_code
    except OSError as error:
        return io_failure(error)
    except Exception as error:  # noqa: BLE001  (the edge: people get no traceback)
        if debug:
            _show_traceback(error)
        return _complain(
            Problem(
                code="lao.defect",
                what=f"LAO ran into a defect of its own: {type(error).__name__}: {error}",
                mend="please report it with what `--debug` prints",
            ),
            1,
        )


def _end_as_if_interrupted() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: cancel, clean up, leave."""

    def end(number: int, frame: FrameType | None) -> None:
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # ignored, as a shell does for background jobs
            raise KeyboardInterrupt
        interrupt(number, frame)

    for each in (signal.SIGTERM, getattr(signal, "SIGHUP", None)):
        if each is not None and signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, end)


def io_failure(error: OSError) -> int:
    """Return the exit code of a failed write; a closed pipe is no failure."""
    give_up(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return 0
    return _complain(_io_problem(error), 1)


def _show_traceback(error: Exception) -> None:
    """Write where an error came from; its words may be those of a model."""
    write_note("".join(traceback.format_exception(error)).rstrip())


def _complain(problem: Problem, code: int) -> int:
    write_note(str(problem))
    return code


def _usage_problem(error: click.ClickException) -> Problem:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "lao"
    what, mend = error.format_message().rstrip("."), f"see `{command} --help`"
    if what.startswith("Got unexpected extra argument"):
        what = what if len(what) <= _MOST_SHOWN else f"{what[:_MOST_SHOWN]} …"
        mend += "; a pattern such as 'in/*.wav' must be quoted, or the shell expands it"
    return Problem(code="usage.bad-option", what=what, mend=mend)


def _io_problem(error: OSError) -> Problem:
    name = f" ({error.filename!r})" if error.filename else ""
    return Problem(
        code="output.failed",
        what=f"the system refused: {error.strerror or error}{name}",
        mend="check the free space and the rights of the place it names",
    )
