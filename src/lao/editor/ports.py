# SPDX-License-Identifier: Apache-2.0
"""The ports of a step: where it takes a value, and of which type.

A type is written as a file writes it; a port that takes several has them with ` | `
between, the usual one first (`ACCEPTED` lists these). None takes anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from lao.editor.messages import PortView
from lao.editor.reading import Reading
from lao.planning.plan import Engine, Infer, PlannedStep, PlannedTransform, Preprocess
from lao.planning.types import accepted
from lao.workflow.local_models import LlamaCpp, Ollama, sort_of
from lao.workflow.outline import OutlinedStep
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Parameter, Recipe, StepId, WorkflowStep
from lao.workflow.transforms import Join, Select, Strip, Truncate
from lao.workflow.values import (
    AUDIO,
    EMBEDDING,
    FILE,
    IMAGE,
    JSON,
    TEXT,
    ValueType,
    fits,
    list_of,
    parse_type,
)

SINGLE: Final = (TEXT, JSON, AUDIO, IMAGE, ValueType("document"), FILE, EMBEDDING)
TYPES: Final = (*SINGLE, *map(list_of, SINGLE))
"""The types that verdicts are given for: every kind, and a list of each."""

_MATERIAL: Final = "text | json | image"
_WRITABLE: Final = "text | json"
_LOOP: Final = "list | json"
_PLAIN: Final = "json | list | embedding"
_TEXTS: Final = "text | list[text]"
_JOINED: Final = "list[text] | json"
ACCEPTED: Final[Mapping[str, tuple[ValueType, ...]]] = {
    _MATERIAL: accepted(Ollama(model="")),
    _WRITABLE: accepted(LlamaCpp(model_path="")),
    _LOOP: (*map(list_of, SINGLE), JSON),
    _PLAIN: tuple(each for each in TYPES if each.is_plain and each != TEXT),
    _TEXTS: (TEXT, list_of(TEXT)),
    _JOINED: (list_of(TEXT), JSON),
}


def takes(port: str | None, given: ValueType) -> bool:
    """Whether a port of that type takes a value."""
    if port is None:
        return True
    if port in ACCEPTED:
        return any(fits(given, each) for each in ACCEPTED[port])
    wanted = parse_type(port)
    return wanted is None or fits(given, wanted)


def usual(port: str) -> ValueType | None:
    """Return the first type that a port takes."""
    return ACCEPTED[port][0] if port in ACCEPTED else parse_type(port)


def key_of(port: str) -> str:
    """Return the key of a step that a port writes: `prompt` is short for one."""
    return "prompt_template" if port == "prompt" else port


def port_of(key: str) -> str:
    """Return the port that a key of a step, or `with.NAME`, belongs to."""
    return "prompt" if key == "prompt_template" else key


def ports_of(outlined: OutlinedStep, reading: Reading) -> list[PortView]:
    """Return a step's ports, those that are in use included."""
    used = dict.fromkeys(port_of(link.port) for link in outlined.links)
    step = outlined.step
    found: dict[str, PortView] = {}
    if step is not None:
        planned = reading.checked.plan.steps.get(StepId(outlined.id))
        recipe = reading.recipe(step.uses)
        found = {
            port.name: port for port in step_ports(step, planned, recipe, used=used)
        }
    for name in used:
        if name not in found:
            found[name] = _used_port(name)
    return list(found.values())


def step_ports(
    step: WorkflowStep,
    planned: PlannedStep | None,
    recipe: Recipe | None,
    *,
    used: Iterable[str] = (),
) -> Iterator[PortView]:
    """Yield the ports of a step that is known, the main one first."""
    if planned is None:
        return
    transforms = planned.input_transforms
    if recipe is not None:
        yield from _recipe_ports(step, recipe, transforms, set(used))
        return
    engines = planned.work.engines if isinstance(planned.work, Infer) else ()
    if not engines:
        yield PortView(
            name="input",
            label="input",
            type=_before(transforms, None),
            is_required=step.uses is None,
        )
        return
    entry = _before(transforms, _input_type(engines))
    prompted = step.uses is None and sort_of(engines[0].model) in ("chat", "any")
    if prompted:
        required = step.input is None and sort_of(engines[0].model) == "chat"
        yield PortView(
            name="prompt", label="prompt", type=_WRITABLE, is_required=required
        )
    yield PortView(name="input", label="input", type=entry, is_required=not prompted)


def _recipe_ports(
    step: WorkflowStep,
    recipe: Recipe,
    transforms: Sequence[PlannedTransform],
    used: set[str],
) -> Iterator[PortView]:
    """Yield the parameters that a value can flow into.

    One with choices is a setting, unless the file connects it.
    """
    checks = recipe.needs != "none" or recipe.engine.model is not None
    main = recipe.main
    names = [main, *(name for name in recipe.parameters if name != main)]
    for name in names:
        parameter = recipe.parameters[name]
        type_ = str(parameter.type) if checks else None
        key = f"with.{name}"
        if name == main:
            type_ = _before(transforms, type_)
            written = step.input is not None and name not in step.arguments
            key = "input" if written else key
        elif parameter.choices and key not in used:
            continue
        yield PortView(
            name=key, label=name, type=type_, is_required=must_be_given(parameter)
        )


def must_be_given(parameter: Parameter) -> bool:
    """Whether a recipe cannot do without a parameter."""
    return parameter.default is None and not parameter.optional


def _used_port(name: str) -> PortView:
    label = name.removeprefix("with.")
    match name:
        case "for_each":
            return PortView(name=name, label="for each", type=_LOOP)
        case "system" | "prompt":
            return PortView(name=name, label=label, type=_WRITABLE)
        case _:
            return PortView(name=name, label=label)


def used_port(name: str) -> PortView | None:
    """Return a port that every step has, though it shows only when it is used."""
    return _used_port(name) if name in ("for_each", "when") else None


def _input_type(engines: Sequence[Engine]) -> str | None:
    """Return what all the models that may answer take."""
    sorts = [_taken(each) for each in engines]
    narrowest: str | None = None
    for sort in sorts:
        if narrowest is None or (sort is not None and _is_within(sort, narrowest)):
            narrowest = sort
    return narrowest


def _is_within(inner: str, outer: str) -> bool:
    return all(takes(outer, each) for each in TYPES if takes(inner, each))


def _taken(engine: Engine) -> str | None:
    if engine.plugin is not None:
        return plugin_input(engine.plugin)
    return _label(accepted(engine.model))


def plugin_input(manifest: PluginManifest) -> str:
    """Return the type of a plugin's input; one of JSON takes plain lists too."""
    return _PLAIN if manifest.input == JSON else str(manifest.input)


def _label(types: tuple[ValueType, ...]) -> str | None:
    if not types:
        return None
    for label, known in ACCEPTED.items():
        if known == types:
            return label
    return " | ".join(map(str, types))


def _before(transforms: Sequence[PlannedTransform], target: str | None) -> str | None:
    """Return the type that enters the transforms of a port that takes `target`."""
    is_texts = False
    for transform in transforms:
        match transform:
            case Strip() | Truncate():
                is_texts = True
            case Join():
                return str(list_of(TEXT)) if is_texts else _JOINED
            case Select():
                return str(JSON)
            case Preprocess(engine=engine):
                return _taken(engine)
            case _:
                return str(TEXT)
    if not is_texts:
        return target
    if not takes(target, list_of(TEXT)):
        return str(TEXT)
    return _TEXTS if takes(target, TEXT) else str(list_of(TEXT))
