# SPDX-License-Identifier: Apache-2.0
"""What it costs to read a workflow file, and to check and compile what it says.

    python -m benchmarks.documents [--rounds N] [--quick]

The file has 200 steps in 59 KB, each with a prompt, options, a timeout and a
condition, and reads up to three earlier ones. The floors read the same text into plain
data, which knows no places and no types: PyYAML's C loader, and the same content as
JSON. "Read and check" has a file of other words in each repeat, of which nothing is
known, and keeps its nodes; "unchanged" has, in a process that has just done so, the same
file, whose nodes are kept.
"""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import yaml
from benchmarks.engine_rows import settings_in
from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import found_by, subject_of

from lao.config import Settings
from lao.planning.plan import Plan
from lao.runtime import kept_nodes, make_plan
from lao.workflow.document import Document, read_workflow_file
from lao.workflow.nodes import Node
from lao.workflow.source import read_yaml

GROUP = "documents"
STEPS = 200
MANY = 10_000
NEW = "new.yaml"
YAML = "PyYAML's C loader"
JSON = "JSON, msgspec"
READ_YAML = "LAO, YAML into nodes with places"
READ = "LAO, read"
COMPILE = "LAO, check and compile"
WHOLE = "LAO, read and check"
AGAIN = "LAO, read and check, unchanged"
READ_MANY = "LAO, read, 10,000 steps"
COMPILE_MANY = "LAO, check and compile, 10,000 steps"
FLOORS = {READ_YAML: YAML, READ: YAML, WHOLE: YAML, YAML: JSON}
TARGETS = {WHOLE: 60.0, AGAIN: 5.0}

Samples = dict[str, list[float]]


def workflow_text(steps: int, verb: str = "Put") -> str:
    """Return a workflow file of so many steps; each prompt begins with the verb."""
    head = (
        "lao: 1\nname: many-steps\ndescription: Rewrites a text again and again.\n\n"
        "inputs:\n  topic: { type: text, default: x }\n\nsteps:\n"
    )
    return head + "".join(_step(number, verb) for number in range(steps))


def _step(number: int, verb: str = "Put") -> str:
    needs = [f"step_{each:05}" for each in range(max(0, number - 3), number)]
    given = " and ".join(f"{{{{ {need} }}}}" for need in needs) or "{{ inputs.topic }}"
    return (
        f"  - id: step_{number:05}\n"
        "    model: { kind: ollama, model: llama3.2 }\n"
        f'    prompt_template: "{verb} {given} as {number}"\n'
        "    options:\n      temperature: 0.2\n      seed: 42\n      num_ctx: 4096\n"
        "    retry: 2\n    timeout: 30s\n"
        "    when: \"{{ inputs.topic != '' }}\"\n\n"
    )


def _compiled(document: Document, settings: Settings) -> Plan:
    return make_plan(document.workflow, settings, locate=document.locate_line)


def _read_and_checked(path: Path, settings: Settings) -> Plan:
    return _compiled(read_workflow_file(path, kept_nodes(settings)), settings)


def _plain(text: str) -> object:
    loader = yaml.CSafeLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _cpu_ms(act: Callable[[], object], *, steps: int) -> float:
    """Return the CPU milliseconds of an act. SystemExit on a wrong answer."""
    gc.collect()
    began = time.process_time()
    answer = act()
    spent = time.process_time() - began
    if steps_of(answer) != steps:
        sys.exit(f"wrong answer: {str(answer)[:200]}")
    return spent * 1e3


def steps_of(answer: object) -> int:
    """Return how many steps an answer holds; -1 if the last is not where it should be."""
    match answer:
        case Plan(steps=steps):
            return len(steps)
        case Document(workflow=workflow) as document:
            count = len(workflow.steps)
            place = document.locate(("steps", count - 1, "prompt_template"))
            return count if place.line == _line_of_prompt(count - 1) else -1
        case Node(value=dict() as entries):
            steps = entries["steps"].value
            return len(steps) if isinstance(steps, tuple) else -1
        case {"steps": list(steps)}:
            return len(steps)
        case _:
            return -1


def _line_of_prompt(step: int) -> int:
    text = workflow_text(0).count("\n") + _step(0).count("\n") * step
    return text + _step(0).partition("prompt_template")[0].count("\n") + 1


def subject(repeats: int, *, quick: bool) -> Samples:
    """Return CPU milliseconds of everything, in turns."""
    found: Samples = {}
    with tempfile.TemporaryDirectory(prefix="documents-") as name:
        folder = Path(name)
        acts = _acts(folder, STEPS)
        for number in range(-1, repeats):
            _write_new(folder, STEPS, number)
            for what, act in acts.items():
                spent = _cpu_ms(act, steps=STEPS)
                if number >= 0:
                    found.setdefault(what, []).append(spent)
        if not quick:
            many = _acts(folder, MANY)
            found[READ_MANY] = [_cpu_ms(many[READ], steps=MANY)]
            found[COMPILE_MANY] = [_cpu_ms(many[COMPILE], steps=MANY)]
            _write_new(folder, MANY, repeats)
            found[_per_step(MANY)] = [_cpu_ms(many[WHOLE], steps=MANY) * 1e3 / MANY]
            found[_per_step(STEPS)] = [each * 1e3 / STEPS for each in found[WHOLE]]
    return found


def _per_step(steps: int) -> str:
    return f"LAO, read and check, a step of {steps:,}"


def _write_new(folder: Path, steps: int, number: int) -> None:
    """Write a file that was not there before."""
    (folder / NEW).write_text(workflow_text(steps, f"Put {number} of"))


def _acts(folder: Path, steps: int) -> dict[str, Callable[[], object]]:
    text = workflow_text(steps)
    path = folder / f"{steps}.yaml"
    path.write_text(text)
    as_json = json.dumps(_plain(text)).encode()
    settings = settings_in(folder)
    document = read_workflow_file(path)

    return {
        JSON: partial(msgspec.json.decode, as_json),
        YAML: partial(_plain, text),
        READ_YAML: partial(read_yaml, text, str(path)),
        READ: partial(read_workflow_file, path),
        COMPILE: partial(_compiled, document, settings),
        WHOLE: partial(_read_and_checked, folder / NEW, settings),
        AGAIN: partial(_read_and_checked, path, settings),
    }


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure in a few processes, one after the other."""
    samples: Samples = {}
    repeats = 3 if effort.quick else 5
    for _ in effort.turns(GROUP):
        for what, found in found_by(
            "documents", str(repeats), str(int(effort.quick))
        ).items():
            samples.setdefault(what, []).extend(found)
    for what, found in samples.items():
        per_step = "a step of" in what
        yield Figure(
            group=GROUP,
            name=what,
            unit="CPU µs" if per_step else "CPU ms",
            samples=tuple(found),
            floor=FLOORS.get(what, _per_step(STEPS) if what == _per_step(MANY) else ""),
            absolute=TARGETS.get(what),
        )


def main() -> None:
    """Be the subject, or measure."""
    if arguments := subject_of(sys.argv[1:]):
        repeats, quick = map(int, arguments)
        print(json.dumps(subject(repeats, quick=quick == 1)))
    else:
        run_alone(measure)


if __name__ == "__main__":
    main()
