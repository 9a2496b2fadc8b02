# SPDX-License-Identifier: Apache-2.0
"""A run as a sidecar to share: what made the result, by digests, without its content.

A digest of a text is the SHA-256 of its UTF-8 bytes, of a file that of its bytes, of
another value that of its JSON with sorted keys and without spaces.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lao import __version__
from lao.cli.value_words import sort_words
from lao.errors import LaoError
from lao.events import StepState, value_to_json
from lao.history.kept_runs import KeptRun
from lao.workflow.values import FileValue, JsonValue, Value

if TYPE_CHECKING:
    from lao.workflow.steps import Workflow, WorkflowStep

FORMAT: Final = "lao-run/1"
_CLOSED: Final = frozenset(
    {"language", "output"}
)  # options that take one of a few words
_CLOSED_WORD = re.compile(r"[a-z-]{2,12}")
_FILE_KINDS: Final = frozenset({"llama.cpp", "whisper.cpp", "custom"})
_FOLDERS = re.compile(r"(?<![\w.])[~.]{0,2}/.*/")


def sidecar(run: KeptRun, *, with_content: bool) -> dict[str, JsonValue]:
    """Return the sidecar of a run that is no batch.

    Without content there is in it no text of an input, a prompt, an output, a step's
    result or a message, and no folder's name.
    """
    record, state = run.record, run.state
    workflow = _workflow(run)
    found: dict[str, JsonValue] = {
        "format": FORMAT,
        "lao": __version__,
        "id": record.id,
        "status": record.status,
        "started": _utc(record.started),
        "seconds": state.seconds,
        "workflow": _workflow_digest(run),
        "enforcement": state.locality,
        "isolation": {
            "level": state.level,
            "layers": dict(state.layers),
            "workers": [dict(each.layers) for each in state.workers.values()],
        },
        "violations": [
            {"step": each.step, "code": each.code} for each in state.violations
        ],
        "inputs": {n: _described(v, run.files) for n, v in run.inputs.items()},
        "outputs": {n: _described(v, {}) for n, v in state.outputs.items()},
        "steps": {
            name: _step(step) | _parameters(workflow, name)
            for name, step in state.steps.items()
        },
    }
    if with_content:
        found["content"] = _content(run)
    return found


def _utc(moment: float) -> JsonValue:
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat("T", "seconds")
    except (OverflowError, ValueError, OSError):
        return None


def _sha256(data: str) -> str:
    return f"sha256:{sha256(data.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _described(value: Value, files: Mapping[str, str]) -> JsonValue:
    return {"type": sort_words(value), "sha256": digest_of(value, files)}


def digest_of(value: Value, files: Mapping[str, str]) -> str | None:
    """Return the digest of a value; None for a file whose content is not known.

    `files` maps a file's path to the digest of its content.
    """
    match value:
        case str():
            return _sha256(value)
        case FileValue():
            return files.get(value.path) or None
        case _:
            plain = value_to_json(_by_digest(value, files))
            written = json.dumps(
                plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
            return _sha256(written)


def _by_digest(value: Value, files: Mapping[str, str]) -> Value:
    """Return a value in which digests stand for files."""
    match value:
        case FileValue():
            return files.get(value.path)
        case list():
            return [_by_digest(each, files) for each in value]
        case dict():
            return {name: _by_digest(each, files) for name, each in value.items()}
        case _:
            return value


# -- the workflow ---------------------------------------------------------------


def _workflow(run: KeptRun) -> "Workflow | None":
    """Return the workflow that ran, if its text was kept and can still be read."""
    if run.order is None or not run.order.workflow:
        return None
    from lao.workflow.document import read_workflow

    try:
        return read_workflow(run.order.workflow, source="", base=".").workflow
    except LaoError:  # of an older format, perhaps: its digest is told all the same
        return None


def _workflow_digest(run: KeptRun) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"name": run.record.workflow}
    if run.order is not None:
        told["sha256"] = _sha256(run.order.workflow)
        told["file"] = run.order.source_digest or None
        told["plan"] = run.order.plan_digest or None
    return told


def _parameters(workflow: "Workflow | None", name: str) -> dict[str, JsonValue]:
    """Return the options and limits that a step declares; texts by their digest."""
    steps = workflow.steps if workflow is not None else ()
    step = next((each for each in steps if each.id == name), None)
    if workflow is None or step is None:
        return {}
    options = {**_model_options(workflow, step), **step.options}
    told: dict[str, JsonValue] = {
        key: _safe(key, value) for key, value in options.items()
    }
    return {
        "uses": step.uses,
        "options": told,
        "cache": step.cache,
        "timeout": step.timeout,
        "most_attempts": step.retry.attempts,
    }


def _model_options(
    workflow: "Workflow", step: "WorkflowStep"
) -> Mapping[str, JsonValue]:
    named = step.model
    model = workflow.models.get(named) if isinstance(named, str) else named
    return {} if model is None else model.options


def _safe(name: str, value: JsonValue) -> JsonValue:
    """Return an option as it is if it can hold nobody's words, else its digest."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in _CLOSED and isinstance(value, str) and _CLOSED_WORD.fullmatch(value):
        return value
    return {"sha256": _sha256(json.dumps(value, ensure_ascii=False, sort_keys=True))}


# -- steps ----------------------------------------------------------------------


def _step(step: StepState) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"status": step.status, "retries": step.retries}
    if step.items is not None:
        told |= {"items": step.items, "items_done": step.items_done}
    if step.failed is not None:
        told["code"] = step.failed.code
    if step.finished is None:
        return told
    done = step.finished
    return told | {
        "made_by": _made_by(done.made_by, step.model),
        "model_digest": done.model_digest,
        "key": done.key,
        "ingredients": dict(done.ingredients),
        "reproducible": done.reproducible,
        "cached": done.cached,
        "attempts": done.attempts,
        "seconds": done.seconds,
        "model_seconds": done.model_seconds,
        "tokens_in": done.tokens_in,
        "tokens_out": done.tokens_out,
        "result": digest_of(done.value, {}),
    }


def _made_by(made_by: str, model: str) -> str:
    """Return what made a result; what a custom model says of itself is its own text."""
    return without_folders(model if model.startswith("custom:") else made_by)


def without_folders(words: str) -> str:
    """Return a model's label with files named without their folders."""
    kind, _, name = words.partition(":")
    if kind in _FILE_KINDS:
        return f"{kind}:{name.rpartition('/')[2]}"
    return _FOLDERS.sub("", words)


def _content(run: KeptRun) -> JsonValue:
    steps: dict[str, JsonValue] = {}
    for name, step in run.state.steps.items():
        if step.finished is not None:
            done = step.finished
            steps[name] = {
                "value": value_to_json(done.value),
                "notes": list(done.notes),
            }
        elif step.failed is not None:
            steps[name] = {"what": step.failed.what}
    return {
        "source": run.record.source,
        "workflow": run.order.workflow if run.order is not None else None,
        "inputs": value_to_json(run.inputs),
        "outputs": value_to_json(run.state.outputs),
        "steps": steps,
    }


def lines_of_batch(
    batch: dict[str, JsonValue], items: Iterator[dict[str, JsonValue]]
) -> Iterator[str]:
    """Yield the lines of one JSON object: a batch and its items, never all at once."""
    head = json.dumps(batch, ensure_ascii=False)
    yield head[:-1] + ', "items": [\n'
    between = ""
    for item in items:
        yield between + json.dumps(item, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"
