# SPDX-License-Identifier: Apache-2.0
"""Carries attempts out in a process of its own, one after the other.

    python -I -S -B runner.py ORDER

ORDER is a JSON object: `lock` ("" or "orchestrator"), `bait`, the names of the
`attempts`, and the folders where `packages` are. Each gets a line of JSON before it begins and one with its outcome, so that
whoever reads them knows which one ended the process. Where forking is allowed each
attempt has a child of its own, and leaves no traces in the next.
"""

import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from lao.verify.attempt import Attempt, Bait, Outcome

_SECONDS = 5
_MOST_SAID = 1 << 16


def _say(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _carry_out(attempt: "Attempt", bait: "Bait") -> "Outcome":
    """Perform an attempt in a child, or here where there can be none."""
    inside = importlib.import_module("lao.verify.attempt")
    source, sink = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(sink)
        performed: Outcome = inside.perform(attempt, bait)
        return performed
    else:
        if child == 0:
            _perform_and_leave(attempt, bait, sink)
        os.close(sink)
        said = os.read(source, _MOST_SAID)
        _, status = os.waitpid(child, 0)
        fields = json.loads(said) if said else {"errno": _how(status)}
        outcome: Outcome = inside.Outcome(**{"succeeded": False, **fields})
        return outcome
    finally:
        os.close(source)


def _perform_and_leave(attempt: "Attempt", bait: "Bait", sink: int) -> NoReturn:
    try:
        signal.alarm(_SECONDS)
        inside = importlib.import_module("lao.verify.attempt")
        outcome = inside.perform(attempt, bait)
        os.write(sink, json.dumps(asdict(outcome)).encode())
    finally:
        os._exit(1)  # whatever happened: never back into the loop of the parent


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGALRM:
        return "ETIMEDOUT"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _sockets_in_hand() -> tuple[int, ...]:
    """Return two sockets made before the lock; none where there may be none."""
    try:
        made = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(2)]
    except OSError:
        return ()
    return tuple(each.detach() for each in made)


def _find_lao() -> None:
    """Load the package that this file belongs to, from a folder that cannot be listed.

    Where the lock is on already, the folder around the package is out of sight.
    """
    package = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location("lao", package / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"no package at {package}")
    sys.modules["lao"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["lao"])


def main() -> None:
    """Lock this process if that is wanted, then go through the list."""
    order: Any = json.loads(sys.argv[1])  # of our own parent
    _find_lao()
    sys.path.extend(order["packages"])
    catalogue = importlib.import_module("lao.verify.catalogue").CATALOGUE
    inside = importlib.import_module("lao.verify.attempt")
    bait = inside.bait_from_json(order["bait"])
    bait = replace(bait, held_sockets=_sockets_in_hand())
    wanted = frozenset(order["attempts"])
    if order["lock"] == "orchestrator":
        lock = importlib.import_module("lao.isolation.orchestrator")
        proof = lock.lock_this_process()
        _say(level=proof.level, layers=dict(proof.layers))
    for attempt in catalogue:
        if attempt.name in wanted:
            _say(begins=attempt.name)
            _say(ended=attempt.name, outcome=asdict(_carry_out(attempt, bait)))


if __name__ == "__main__":
    main()
