# SPDX-License-Identifier: Apache-2.0
"""From what a model answered to the value that flows on, checked once more."""

import math
from typing import TYPE_CHECKING

from lao.engine.requests import wanted
from lao.errors import LaoError, SchemaMismatch, StepError
from lao.planning.plan import Engine
from lao.policy import RunLimits
from lao.workflow.inference import ModelReply
from lao.workflow.json_text import read_json
from lao.workflow.values import JsonValue, Value

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError


def read_answer(engine: Engine, reply: ModelReply, limits: RunLimits) -> Value:
    """Return the value of a reply.

    Raises:
        SchemaMismatch: it is not the JSON that the step asks for.
        StepError: it is larger than the limits allow, or of the wrong sort.
    """
    value = reply.value
    if isinstance(value, str) and len(value) > limits.output_bytes:
        raise StepError(
            "step.output-too-large",
            f"the answer has {len(value):,} characters; "
            f"at most {limits.output_bytes:,} are kept",
            mend="ask for less, or set the option num_predict",
        )
    match wanted(engine):
        case "text":
            return _text(value)
        case "embedding":
            return _embedding(value)
        case "json":
            parsed = _parsed(value) if isinstance(value, str) else value
            _fit(engine, parsed)
            return _as_value(parsed)


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise StepError(
        "step.not-text",
        f"the model answered {type(value).__name__} where the step declares text",
        mend="declare the step's `output: json`",
    )


def _embedding(value: JsonValue) -> Value:
    if isinstance(value, list) and value and not isinstance(value[0], list):
        numbers = [float(item) for item in value if isinstance(item, int | float)]
        if len(numbers) == len(value) and all(map(math.isfinite, numbers)):
            return _as_value(value)
    elif isinstance(value, list):
        return [_embedding(item) for item in value]
    raise StepError(
        "step.not-an-embedding",
        "the model answered something that is not a list of numbers",
        mend="use a model that can embed",
    )


def _parsed(text: str) -> JsonValue:
    try:
        return read_json(_without_fence(text))
    except ValueError as error:
        raise SchemaMismatch(
            "output.not-json",
            f"the answer is not JSON: {error}",
            mend="declare a schema, so that generation is constrained to it; "
            "a larger num_predict helps when the answer was cut",
        ) from error


def _without_fence(text: str) -> str:
    """Return what stands in a code fence, if the whole text is one."""
    inner = text.strip()
    opening, newline, rest = inner.partition("\n")
    is_fenced = opening.strip() in ("```", "```json") and inner.endswith("```")
    return rest.removesuffix("```") if is_fenced and newline else text


def _fit(engine: Engine, value: JsonValue) -> None:
    schema = engine.output.schema
    if schema is None:
        return
    import jsonschema_rs  # noqa: PLC0415  (47 ms that steps without a schema save)

    try:
        validator = jsonschema_rs.validator_for(dict(schema), offline=True)
        error = next(iter(validator.iter_errors(value)), None)
    except (jsonschema_rs.ValidationError, ValueError) as problem:
        raise _unusable_schema(str(problem)) from problem
    if error is not None:
        raise SchemaMismatch(
            "output.schema-mismatch",
            f"the answer does not fit the step's schema at {_place(error)}: "
            f"{error.message.splitlines()[0][:300]}",
            mend="try a larger model, a simpler schema, or `retry:`",
        )


def _place(error: "ValidationError") -> str:
    return "/" + "/".join(map(str, error.instance_path))


def _unusable_schema(what: str) -> LaoError:
    return StepError(
        "output.bad-schema",
        f"the step's schema cannot be used: {what.splitlines()[0][:300]}",
        mend="correct the schema; `lao check` shows where",
    )


def _as_value(value: JsonValue) -> Value:
    same: Value = value  # type: ignore[assignment]  # JSON values are values
    return same
