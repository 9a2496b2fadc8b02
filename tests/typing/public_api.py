# SPDX-License-Identifier: Apache-2.0
"""What a person writes in Python type-checks strictly; mypy reads this, nothing runs it."""

from collections.abc import Mapping
from typing import assert_type

from lao import (
    Custom,
    Default,
    Embedded,
    Input,
    LaoError,
    LlamaCpp,
    LocalModel,
    LoopbackEndpoint,
    ModelBackend,
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Ollama,
    OnError,
    Output,
    Report,
    Retry,
    RunFailed,
    RunResult,
    StepId,
    WhisperCpp,
    Workflow,
    WorkflowStep,
    __version__,
    load,
    run,
    run_async,
    stream_events,
)

assert_type(__version__, str)

models: dict[str, ModelBackend] = {
    "writer": Ollama(model="llama3.2", options={"temperature": 0}),
    "near": Ollama(model="m", endpoint=LoopbackEndpoint("http://127.0.0.1:8080")),
    "ears": WhisperCpp(model_path="~/models/ggml-base.en.bin"),
    "other": LlamaCpp(model_path="m.gguf"),
    "own": Custom(plugin="own.py:Shout"),
    "summary": Embedded(name="summary"),
}
Embedded(name="oracle")  # type: ignore[arg-type]  # there is no such model
Ollama(model="m", endpoint="http://evil")  # type: ignore[arg-type]  # not an endpoint

workflow = Workflow(
    name="notes",
    models=models,
    inputs={"text": Input(description="The text"), "style": Input(default="short")},
    steps=[
        WorkflowStep(
            id="summary",
            model=Ollama(model="llama3.2"),
            prompt_template="Summarise: {{ inputs.text }}",
            retry=Retry(attempts=3, backoff=2.0),
            timeout=60.0,
            on_error=OnError(action="use", models=("other",)),
        ),
        WorkflowStep(
            id="entities",
            uses="extract-entities",
            arguments={"text": "{{ summary }}", "model": "writer"},
            when="{{ summary | length > 10 }}",
            default=Default({}),
            output=Output(schema={"type": "object"}),
        ),
    ],
    connections=[(StepId("summary"), StepId("entities"))],
    outputs={"notes": "{{ summary }}"},
)


class Shout:
    """A model of one's own."""

    def describe(self) -> ModelDescription:
        """Say what it is."""
        return ModelDescription(name="shout")

    def load(self, options: Mapping[str, object]) -> None:
        """Refuse what it does not know."""
        if options:
            raise ModelProblem("shout.bad-option", "it has no options")

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer in capitals."""
        report.progress(1, 1, "text")
        return ModelReply(value=str(request.input).upper(), made_by="shout")


own: LocalModel = Shout()


def run_it() -> str:
    """Run, and see what failed."""
    try:
        result = run(workflow, inputs={"text": "…"})
    except RunFailed as error:
        assert_type(error.result, RunResult)
        return "; ".join(failure.what for failure in error.result.failures)
    except LaoError as error:
        return f"{error.code}: {error}"
    assert_type(result, RunResult)
    return str(result.outputs["notes"])


async def watch_it() -> float:
    """Run, and watch."""
    async for event in stream_events(load("notes.yaml"), inputs={"text": "…"}):
        if event.fact.kind == "text-produced":
            print(event.fact.text, end="")  # noqa: T201
    return (await run_async(workflow, inputs={"text": "…"})).seconds
