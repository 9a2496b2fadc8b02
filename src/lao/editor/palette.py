# SPDX-License-Identifier: Apache-2.0
"""The palette: every step that can be added, and which outputs fit which ports.

Of plugins it reads manifests, and files to know their digest; it imports none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from lao.config import Settings
from lao.editor.offers import model_offers, plugin_step, reshape_offers
from lao.editor.palette_messages import (
    FitView,
    PaletteEntry,
    PaletteView,
    ParameterView,
)
from lao.editor.parameters import (
    ASKED,
    EVERY_STEP,
    MODEL_OPTIONS,
    of_plugin,
    of_recipe,
)
from lao.editor.ports import ACCEPTED, TYPES, ports_of, takes, usual
from lao.editor.reading import Reading, read_text
from lao.errors import LaoError
from lao.planning.engines import Catalog
from lao.plugins.installed import installed
from lao.runtime import find_catalog
from lao.workflow.steps import Recipe, StepId
from lao.workflow.values import (
    AUDIO,
    TEXT,
    JsonValue,
    ValueType,
    how_to_mend,
    list_of,
    parse_type,
)

if TYPE_CHECKING:
    from lao.editor.messages import PortView

_CONVERTERS: Final = (
    ("recipe:transcribe", AUDIO),
    ("reshape:lines", TEXT),
    ("reshape:json", TEXT),
    ("reshape:join", list_of(TEXT)),
)
_TRUST: Final = {
    "untrusted": "it is not trusted; `lao plugin trust {}` says what it can do",
    "changed": "it has changed since it was trusted; see `lao plugin show {}`",
}
_TRANSFORMS: Final = ParameterView(
    name="input_transforms",
    path=["input_transforms"],
    type="json",
    description="What is done to the input, one after the other",
)


def palette(settings: Settings, folder: Path) -> PaletteView:
    """Return every step that a workflow in a folder can have."""
    catalog = find_catalog(settings, base=folder)
    entries = [
        *_recipes(catalog),
        *_models(catalog),
        *_shapes(),
        *_plugins(settings),
    ]
    shown = _with_ports(entries, catalog, folder, settings)
    return PaletteView(
        entries=shown,
        misfits=misfits(shown),
        parameters=list(EVERY_STEP),
        model_options={kind: list(each) for kind, each in MODEL_OPTIONS.items()},
    )


def misfits(entries: Sequence[PaletteEntry]) -> dict[str, dict[str, FitView]]:
    """Return the pairs of output and port that do not fit, with what mends each."""
    by_id = {each.id: each for each in entries}
    ports = [*map(str, TYPES), *ACCEPTED]
    return {
        str(given): {
            port: FitView(
                reason=_reason(given, port), converter=_converter(given, port, by_id)
            )
            for port in ports
            if not takes(port, given)
        }
        for given in TYPES
    }


def _reason(given: ValueType, port: str) -> str:
    wanted = usual(port)
    mend = "" if wanted is None else f": {how_to_mend(given, wanted)}"
    return f"this takes {port.replace(' | ', ' or ')}, not {given}{mend}"


def _converter(given: ValueType, port: str, entries: Mapping[str, PaletteEntry]) -> str:
    """Return the entry that turns a value into what a port takes, at best its usual."""
    found: list[tuple[str, ValueType]] = []
    for name, takes_type in _CONVERTERS:
        entry = entries.get(name)
        output = None if entry is None else parse_type(entry.output or "")
        if output is not None and given == takes_type and takes(port, output):
            found.append((name, output))
    best = [name for name, output in found if output == usual(port)]
    return next(iter([*best, *(name for name, _ in found)]), "")


_Bare = tuple[PaletteEntry, Mapping[str, JsonValue]]


def _recipes(catalog: Catalog) -> Iterator[_Bare]:
    for name in catalog.recipes:
        step: dict[str, JsonValue] = {"uses": name}
        try:
            recipe = catalog.recipes[name]
        except LaoError as error:
            yield (
                PaletteEntry(
                    id=f"recipe:{name}",
                    group="Text",
                    title=name,
                    description="",
                    step=step,
                    problem=error.problem.what,
                ),
                {},
            )
            continue
        yield _recipe(recipe, step), {}


def _recipe(recipe: Recipe, step: dict[str, JsonValue]) -> PaletteEntry:
    hears = recipe.needs == "speech" or recipe.parameters[recipe.main].type == AUDIO
    saves = recipe.needs == "none" and recipe.engine.model is None
    return PaletteEntry(
        id=f"recipe:{recipe.name}",
        group="Shape" if saves else "Speech" if hears else "Text",
        title=recipe.name,
        description=recipe.description,
        step=step,
        output=None if saves else str(recipe.engine.output.type),
        parameters=list(of_recipe(recipe)),
    )


def _models(catalog: Catalog) -> Iterator[_Bare]:
    for offer in model_offers(catalog):
        kind = offer.id.removeprefix("model:").replace("embedded.", "embedded:")
        asked = ASKED if kind in ("ollama", "llama.cpp") else ASKED[:1]
        yield (
            PaletteEntry(
                id=offer.id,
                group=offer.group,
                title=offer.title,
                description=offer.description,
                step=dict(offer.step),
                parameters=[*asked, *MODEL_OPTIONS[kind]],
            ),
            {},
        )


def _shapes() -> Iterator[_Bare]:
    for offer in reshape_offers():
        yield (
            PaletteEntry(
                id=offer.id,
                group=offer.group,
                title=offer.title,
                description=offer.description,
                step=dict(offer.step),
                parameters=[_TRANSFORMS],
            ),
            offer.sample,
        )


def _plugins(settings: Settings) -> Iterator[_Bare]:
    plugins = installed(settings.folders.data)
    for name in plugins:
        try:
            found = plugins[name]
        except LaoError as error:
            yield _broken_plugin(name, error), {}
            continue
        manifest = found.manifest
        yield (
            PaletteEntry(
                id=f"plugin:{name}",
                group="Plugins",
                title=name,
                description=manifest.description,
                step=dict(plugin_step(manifest)),
                parameters=list(of_plugin(manifest)),
                problem=_TRUST.get(found.trust, "").format(name),
            ),
            {},
        )


def _broken_plugin(name: str, error: LaoError) -> PaletteEntry:
    return PaletteEntry(
        id=f"plugin:{name}",
        group="Plugins",
        title=name,
        description="",
        step={"uses": name},
        problem=error.problem.what,
    )


def _with_ports(
    bare: Sequence[_Bare], catalog: Catalog, folder: Path, settings: Settings
) -> list[PaletteEntry]:
    """Return the entries with the ports and the output that a file would give them."""
    steps = [
        {"id": f"e{number}", **entry.step, **sample}
        for number, (entry, sample) in enumerate(bare)
    ]
    text = json.dumps({"lao": 1, "name": "palette", "steps": steps})
    path = folder / "palette.yaml"
    reading = read_text(text, path=path, settings=settings, catalog=catalog)
    return [
        _complete(entry, f"e{number}", reading)
        for number, (entry, _) in enumerate(bare)
    ]


def _complete(entry: PaletteEntry, step: str, reading: Reading) -> PaletteEntry:
    outlined = reading.step(step)
    typed = reading.checked.types.get(StepId(step))
    ports: list[PortView] = [] if outlined is None else ports_of(outlined, reading)
    output = entry.output
    if typed is not None and typed.type is not None:
        output = str(typed.type)
    return msgspec.structs.replace(entry, inputs=ports, output=output)
