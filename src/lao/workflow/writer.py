# SPDX-License-Identifier: Apache-2.0
"""A `Workflow` as the text of a workflow file, in the documented order of keys.

What equals its default is left out, so that a file says what its author said.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
)
from lao.workflow.steps import Input, OnError, Output, Retry, Workflow, WorkflowStep
from lao.workflow.transforms import (
    AnyTransform,
    Join,
    Lines,
    ParseJson,
    Regex,
    Select,
    Split,
    Strip,
    Truncate,
    UsePlugin,
)
from lao.workflow.yaml_text import Plain, entry, item, text_in_line

_UNITS = (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))


def write_workflow(workflow: Workflow) -> str:
    """Return the text; reading it gives an equal workflow, but for `base`."""
    parts = [entry("lao", 1, 0) + entry("name", workflow.name, 0)]
    if workflow.description:
        parts[0] += entry("description", workflow.description, 0)
    if workflow.inputs is not None:
        inputs = {name: _input(given) for name, given in workflow.inputs.items()}
        parts.append(_section("inputs", inputs))
    if workflow.models:
        models = {name: _model(model) for name, model in workflow.models.items()}
        parts.append(_section("models", models))
    steps = [_step(step) for step in workflow.steps]
    parts.append("steps:\n" + "\n".join(steps))
    if workflow.connections:
        pairs = [item(list(pair), 2) for pair in workflow.connections]
        parts.append("connections:\n" + "".join(pairs))
    if workflow.outputs:
        parts.append(_section("outputs", workflow.outputs))
    return "\n".join(parts)


def _section(name: str, entries: Mapping[str, Plain]) -> str:
    if not entries:
        return f"{name}: {{}}\n"
    return f"{name}:\n" + "".join(entry(key, held, 2) for key, held in entries.items())


def _step(step: WorkflowStep) -> str:
    lines = [f"  - id: {text_in_line(step.id)}\n"]
    for name, value in _step_entries(step).items():
        lines.append(entry(name, value, 4))
    return "".join(lines)


def _step_entries(step: WorkflowStep) -> Mapping[str, Plain]:
    transforms = [_transform(held) for held in step.input_transforms]
    written: dict[str, Plain] = {
        "model": None if step.model is None else _model_or_name(step.model),
        "uses": step.uses,
        "with": step.arguments or None,
        "prompt_template": step.prompt_template,
        "system": step.system,
        "input": step.input,
        "input_transforms": transforms or None,
        "options": step.options or None,
        "output": None if step.output is None else _output(step.output),
        "when": step.when,
        "for_each": step.for_each,
        "retry": _retry(step.retry) or None,
        "timeout": None if step.timeout is None else _duration(step.timeout),
        "on_error": _on_error(step.on_error),
    }
    # A left-out default and the default `null` are two different things.
    default: dict[str, Plain] = (
        {} if step.default is None else {"default": step.default.value}
    )
    cache = {} if step.cache == "auto" else {"cache": step.cache}
    return {**_said(written), **default, **cache}


def _said(written: Mapping[str, Plain]) -> dict[str, Plain]:
    return {name: value for name, value in written.items() if value is not None}


def _input(given: Input) -> Plain:
    written: dict[str, Plain] = {
        "type": str(given.type),
        "description": given.description or None,
        "default": given.default,
        "optional": given.optional or None,
    }
    said = _said(written)
    return said if len(said) > 1 else str(given.type)


def _model_or_name(model: str | ModelBackend) -> Plain:
    return model if isinstance(model, str) else _model(model)


def _model(model: ModelBackend) -> Plain:
    written: dict[str, Plain] = {"kind": model.kind}
    match model:
        case Ollama():
            written |= {
                "model": model.model,
                "endpoint": None if model.endpoint is None else str(model.endpoint),
                "keep_alive": model.keep_alive,
                "think": model.think,
                "mode": None if model.mode == "chat" else model.mode,
            }
        case WhisperCpp():
            written |= {"model_path": model.model_path, "program": model.program}
        case LlamaCpp():
            written |= {"model_path": model.model_path}
        case Embedded():
            written |= {"name": model.name}
        case Custom():
            written |= {
                "plugin": model.plugin,
                "readable": list(model.readable) or None,
            }
        case Installed():
            written |= {"name": model.name}
        case _:
            assert_never(model)
    return _said({**written, "options": model.options or None})


def _transform(transform: AnyTransform) -> Plain:
    match transform:
        case UsePlugin():
            told = dict(transform.parameters) or None
            return _said({"plugin": transform.plugin, "with": told})
        case Strip() | Lines() | ParseJson():
            return transform.kind
        case Truncate(keep="start"):
            return {"truncate": transform.characters}
        case Truncate():
            how: Plain = {"characters": transform.characters, "keep": transform.keep}
            return {"truncate": how}
        case Split(characters=None, separator=str() as separator):
            return {"split": separator}
        case Split():
            cut = {"separator": transform.separator, "characters": transform.characters}
            return {"split": _said(cut)}
        case Join():
            return {"join": transform.separator}
        case Select():
            return {"select": transform.pointer}
        case Regex(replace=None):
            return {"regex": transform.pattern}
        case Regex():
            return {
                "regex": {"pattern": transform.pattern, "replace": transform.replace}
            }
        case _:
            assert_never(transform)


def _output(output: Output) -> Plain:
    if output.schema is None:
        return str(output.type)
    return {"type": str(output.type), "schema": output.schema}


def _retry(retry: Retry) -> dict[str, Plain]:
    usual = Retry()
    written: dict[str, Plain] = {}
    if retry.attempts != usual.attempts:
        written["attempts"] = retry.attempts
    if retry.backoff != usual.backoff:
        written["backoff"] = _duration(retry.backoff)
    if retry.longest != usual.longest:
        written["longest"] = _duration(retry.longest)
    return written


def _on_error(on_error: OnError) -> Plain:
    match on_error.action:
        case "fail":
            return None
        case "skip":
            return "skip"
        case "use":
            models = [_model_or_name(model) for model in on_error.models]
            return {"use": models[0] if len(models) == 1 else models}


def _duration(seconds: float) -> str:
    for unit, length in _UNITS:
        count = round(seconds / length)
        if count and count * length == seconds:
            return f"{count}{unit}"
    return f"{Decimal(repr(float(seconds))):f}s" if seconds else "0s"
