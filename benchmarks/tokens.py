# SPDX-License-Identifier: Apache-2.0
"""Tokens per second of llama.cpp: through LAO, and driven directly.

    python -m benchmarks.tokens [--rounds N] [--quick]

Both run the same GGUF file, made here of seeded noise, with the same settings and one
thread, in processes of their own. Directly, threads call xllamacpp and count what it
streams. Through LAO, a durable run has a step for each request: its journal, its
events for every piece of text, and its locked worker are in the time. The model is
loaded before; the cache is off. A request is a short prompt and 128 tokens of answer.
The CPU time per token, of all processes, tells the two apart on a busy machine too.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import found_by, subject_of, tree_cpu_seconds

from lao.config import Folders, Settings
from lao.durable import Selection, carry_out, prepare
from lao.events import Event, StepFinished, TextProduced
from lao.runtime import RunOptions, Session, make_plan, open_store
from lao.workflow.local_models import LlamaCpp
from lao.workflow.steps import Workflow, WorkflowStep

GROUP = "tokens"
DIRECT = "llama.cpp, driven directly"
LAO = "through LAO"
AT_ONCE = (1, 4)
TOKENS, WARM_UP = 128, 8
CONTEXT = 1024
PROMPT = "Say something long."
LEAST = 0.97
RATE, CPU = "tokens/s", "CPU ms/token"

Samples = dict[str, list[float]]
Ask = Callable[[int], int]


def direct(model: Path, at_once: int, times: int) -> Samples:
    """Return tokens per second of xllamacpp alone, and CPU ms per token."""
    server = import_module("xllamacpp").Server(_parameters(model, at_once))

    def ask(tokens: int) -> int:
        made = 0

        def hear(chunk: Mapping[str, dict[str, int]]) -> bool:
            nonlocal made
            made = (chunk.get("usage") or {}).get("completion_tokens", made)
            return False

        server.handle_chat_completions(
            {
                "messages": [{"role": "user", "content": PROMPT}],
                "stream": True,
                "stream_options": {"include_usage": True},
                "cache_prompt": False,
                "temperature": 0,
                "max_tokens": tokens,
            },
            hear,
        )
        return made

    with ThreadPoolExecutor(max_workers=at_once) as threads:

        def ask_all(tokens: int) -> int:
            return sum(threads.map(ask, [tokens] * at_once))

        return _rates(ask_all, at_once, times)


def _parameters(model: Path, at_once: int) -> object:
    xllamacpp = import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_parallel = at_once
    parameters.n_ctx = CONTEXT * at_once
    parameters.n_batch = parameters.n_ubatch = 512
    parameters.cache_ram_mib = 0
    parameters.warmup = False
    parameters.offline = True
    parameters.verbosity = 1
    parameters.hostnames = ["direct.sock"]  # in the working folder: it always listens
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    return parameters


def _rates(ask_all: Ask, at_once: int, times: int) -> Samples:
    """Return what each time gave. SystemExit where tokens are missing."""
    ask_all(WARM_UP)
    found: Samples = {RATE: [], CPU: []}
    for _ in range(times):
        spent, began = tree_cpu_seconds(os.getpid()), time.perf_counter()
        made = ask_all(TOKENS)
        wall = time.perf_counter() - began
        spent = tree_cpu_seconds(os.getpid()) - spent
        if made != TOKENS * at_once:
            sys.exit(f"{made} tokens, not {TOKENS * at_once}")
        found[RATE].append(made / wall)
        found[CPU].append(spent / made * 1e3)
    return found


def lao(model: Path, at_once: int, times: int) -> Samples:
    """Return tokens per second of durable runs of LAO, and CPU ms per token."""
    places = Folders(config=Path("config"), data=Path("data"), cache=Path("cache"))
    settings = Settings(folders=places, per_model=at_once)
    with open_store(settings) as store, asyncio.Runner() as loop:
        session = Session(settings, store)
        loop.run(session.__aenter__())

        def ask_all(tokens: int) -> int:
            workflow = _workflow(model, at_once, tokens)
            plan = make_plan(workflow, settings, recipes={})
            heard: list[Event] = []
            options = RunOptions(sinks=(heard.append,))
            prepared = prepare(workflow, plan, Selection())
            loop.run(carry_out(session, store, prepared, options))
            return _tokens_in(heard)

        try:
            return _rates(ask_all, at_once, times)
        finally:
            loop.run(session.__aexit__(None, None, None))


def _workflow(model: Path, at_once: int, tokens: int) -> Workflow:
    options = {"num_ctx": CONTEXT, "num_thread": 1}
    return Workflow(
        name="tokens",
        inputs={},
        models={"noise": LlamaCpp(model_path=str(model), options=options)},
        steps=[
            WorkflowStep(
                id=f"say_{number}",
                model="noise",
                prompt_template=PROMPT,
                options={"temperature": 0, "num_predict": tokens},
                cache="off",
            )
            for number in range(at_once)
        ],
    )


def _tokens_in(events: list[Event]) -> int:
    """Return how many tokens steps ended with; none where their text was not told."""
    told: dict[str, str] = {}
    made = 0
    for fact in (each.fact for each in events):
        match fact:
            case TextProduced():
                told[fact.step] = told.get(fact.step, "") + fact.text
            case StepFinished(value=value) if value == told.get(fact.step):
                made += fact.tokens_out or 0
            case _:
                pass
    return made


SUBJECTS: Mapping[str, Callable[[Path, int, int], Samples]] = {
    DIRECT: direct,
    LAO: lao,
}


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure both in turns."""
    for package in ("xllamacpp", "gguf"):
        if find_spec(package) is None:
            effort.tell(f"{GROUP}: left out, there is no {package} here")
            return
    from tests.models import make_tiny_gguf  # noqa: PLC0415  (it needs gguf)

    samples: dict[tuple[str, str, str], list[float]] = {}
    times = 2 if effort.quick else 3
    with tempfile.TemporaryDirectory(prefix="tokens-") as name:
        model = make_tiny_gguf(Path(name, "noise.gguf"), mode="wide")
        for _ in effort.turns(GROUP):
            for at_once in map(str, AT_ONCE):
                for subject in SUBJECTS:
                    arguments = (subject, str(model), at_once, str(times))
                    for what, found in found_by("tokens", *arguments).items():
                        samples.setdefault((subject, at_once, what), []).extend(found)
    for (subject, at_once, what), values in samples.items():
        yield _figure(subject, f"{at_once} at once, {what}", values)


def _figure(subject: str, what: str, values: list[float]) -> Figure:
    is_rate = what.endswith(RATE)
    is_floor = subject == DIRECT
    return Figure(
        group=GROUP,
        name=f"{subject}, {what}",
        unit=RATE if is_rate else CPU,
        samples=tuple(values),
        floor="" if is_floor else f"{DIRECT}, {what}",
        target=LEAST if is_rate and not is_floor else None,
        at_least=is_rate,
    )


def main() -> None:
    """Be a subject, or measure."""
    if subject := subject_of(sys.argv[1:]):
        name, model, at_once, times = subject
        with tempfile.TemporaryDirectory(prefix="tokens-") as folder:
            os.chdir(folder)
            found = SUBJECTS[name](Path(model), int(at_once), int(times))
        print(json.dumps(found), flush=True)
        os._exit(0)  # not through the destructors of native libraries
    run_alone(measure)


if __name__ == "__main__":
    main()
