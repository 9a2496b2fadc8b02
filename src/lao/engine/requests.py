# SPDX-License-Identifier: Apache-2.0
"""From an engine and the values it sees to the request that a model gets."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct, field

from lao.errors import StepError
from lao.planning.plan import Engine
from lao.policy import RunLimits
from lao.workflow.inference import ModelRequest, Wanted, wanted_for
from lao.workflow.template import (
    Template,
    TemplateError,
    evaluate_tree,
    parse_template,
    plain,
)
from lao.workflow.values import FileValue, JsonValue, Value

_SCHEMA_PROMPT = Path(__file__).parent / "prompts" / "schema.md"


class RequestWriter(Struct, frozen=True, dict=True):
    """Writes requests, within the limits of a run."""

    limits: RunLimits = field(default_factory=RunLimits)

    def write(self, engine: Engine, scope: Mapping[str, Value]) -> ModelRequest:
        """Return the request for one inference.

        Raises:
            StepError: a template cannot be filled in, or the request is empty or
                larger than the limits allow.
        """
        try:
            return self._write(engine, scope)
        except TemplateError as error:
            raise template_failure(error) from error

    def _write(self, engine: Engine, scope: Mapping[str, Value]) -> ModelRequest:
        given = evaluate_tree(engine.input, scope)
        files = tuple(_files(given))
        prompt = engine.prompt.render(scope) if engine.prompt else ""
        system = engine.system.render(scope) if engine.system else ""
        if takes_prompt(engine):
            prompt = _joined(engine, prompt, given)
            self._check(prompt, has_files=bool(files))
        schema = engine.output.schema
        if schema is not None and prompt:
            prompt += schema_words(schema)
        return ModelRequest(
            prompt=prompt,
            system=system,
            input=_as_json(given, has_files=bool(files)),
            files=files,
            options=_options(engine, scope),
            schema=schema,
            wants=wanted(engine),
        )

    def _check(self, prompt: str, *, has_files: bool) -> None:
        if not prompt.strip() and not has_files:
            raise StepError(
                "step.empty-prompt",
                "the prompt is empty: there is nothing to ask the model",
                mend="check that the step's input is not empty",
            )
        if len(prompt) > self.limits.prompt_bytes:
            raise StepError(
                "step.prompt-too-large",
                f"the prompt has {len(prompt):,} characters; "
                f"at most {self.limits.prompt_bytes:,} are sent to a model",
                mend="cut the text with the transform `split` and use `for_each`",
            )


def schema_words(schema: Mapping[str, JsonValue]) -> str:
    """Return what a prompt ends with where the answer must fit a schema."""
    shown = json.dumps(schema, ensure_ascii=False)
    return _schema_prompt().render({"prompt": "", "schema": shown})


@cache
def _schema_prompt() -> Template:
    return parse_template(_SCHEMA_PROMPT.read_text("utf-8").rstrip("\n"))


def template_failure(error: TemplateError) -> StepError:
    """Return the step's error for a template that could not be filled in."""
    return StepError(
        "template.failed",
        f"a template cannot be filled in (line {error.line}): {error.what}",
        mend="check the names and filters against the step's inputs",
    )


def wanted(engine: Engine) -> Wanted:
    """Return the sort of answer that an engine asks for."""
    return wanted_for(engine.output.type)


def takes_prompt(engine: Engine) -> bool:
    """Whether the model reads a prompt, and nothing else that is text."""
    return (
        engine.model.kind in ("ollama", "llama.cpp") and wanted(engine) != "embedding"
    )


def _joined(engine: Engine, prompt: str, given: Value) -> str:
    """Put the instruction before the material, unless it names the material itself."""
    if engine.prompt is not None and "input" in engine.prompt.roots:
        return prompt
    material = _as_text(given)
    return "\n\n".join(part for part in (prompt, material) if part)


def _as_text(value: Value) -> str:
    match value:
        case None | FileValue():
            return ""
        case str():
            return value
        case list() if value and all(isinstance(item, FileValue) for item in value):
            return ""
        case _:
            return json.dumps(plain(value), ensure_ascii=False, indent=2)


def _as_json(value: Value, *, has_files: bool) -> JsonValue:
    simple: JsonValue = plain(value) if has_files else value  # type: ignore[assignment]  # that is JSON
    return simple


def _files(value: Value) -> list[str]:
    match value:
        case FileValue():
            return [value.path]
        case list():
            return _files_among(value)
        case dict():
            return _files_among(value.values())
        case _:
            return []


def _files_among(values: Iterable[Value]) -> list[str]:
    return [
        path
        for each in values
        if not isinstance(each, str)  # most are
        for path in _files(each)
    ]


def _options(engine: Engine, scope: Mapping[str, Value]) -> dict[str, JsonValue]:
    """Return the model's own options with the step's over them; None drops one."""
    merged = dict(engine.model.options)
    step = plain(evaluate_tree(engine.options, scope)) if engine.options else None
    if isinstance(step, dict):
        merged |= step
    return {name: value for name, value in merged.items() if value is not None}
