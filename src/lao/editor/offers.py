# SPDX-License-Identifier: Apache-2.0
"""The steps that can be added, by the ids of their palette entries.

An id is `recipe:NAME`, `plugin:NAME`, `model:KIND` or `reshape:TRANSFORM`.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct, field

from lao.errors import did_you_mean
from lao.planning.engines import Catalog
from lao.workflow.edits import SpliceError
from lao.workflow.local_models import LlamaCpp, Ollama, WhisperCpp
from lao.workflow.plugins import PluginManifest
from lao.workflow.values import JsonValue

Step = Mapping[str, JsonValue]
_USUAL_CHARACTERS: Final = 4000


class Offer(Struct, frozen=True, kw_only=True):
    """A step that can be added. `sample` is an input by which its output is known."""

    id: str
    group: Literal["Models", "Shape"]
    title: str
    description: str
    step: Step
    sample: Step = field(default_factory=dict)


def model_offers(catalog: Catalog) -> Iterator[Offer]:
    """Yield a step for each kind of model; of the configured model, where it is one."""
    chat, speech = catalog.chat, catalog.speech
    name = chat.model if isinstance(chat, Ollama) else "llama3.2"
    gguf = chat.model_path if isinstance(chat, LlamaCpp) else "model.gguf"
    heard = speech.model_path if isinstance(speech, WhisperCpp) else "ggml-model.bin"
    for kind, about, told in (
        ("ollama", "Asks a model of this machine's Ollama", {"model": name}),
        ("llama.cpp", "Asks a GGUF file, run by llama.cpp", {"model_path": gguf}),
        ("whisper.cpp", "Writes down a recording", {"model_path": heard}),
    ):
        model: dict[str, JsonValue] = {"kind": kind, **told}
        yield Offer(
            id=f"model:{kind}",
            group="Models",
            title=kind,
            description=about,
            step={"model": model},
        )
    for name, about in (
        ("speech", "Writes down English speech; needs no download"),
        ("summary", "Picks the sentences that matter, by rules"),
        ("entities", "Lists who and what a text mentions, by rules"),
        ("redact", "Hides names and numbers, by rules"),
    ):
        yield Offer(
            id=f"model:embedded.{name}",
            group="Models",
            title=f"embedded {name}",
            description=about,
            step={"model": {"kind": "embedded", "name": name}},
        )


def reshape_offers() -> Iterator[Offer]:
    """Yield a step for each transform."""
    text: JsonValue = "text"
    texts: JsonValue = ["text"]
    size = _USUAL_CHARACTERS
    transforms: tuple[tuple[str, str, JsonValue, JsonValue], ...] = (
        ("lines", "Cuts a text into its lines", "lines", text),
        ("split", "Cuts a text into pieces", {"split": {"characters": size}}, text),
        ("join", "Puts a list of texts together", "join", texts),
        ("json", "Reads a text as JSON", "json", text),
        ("select", "Takes a part of JSON", {"select": "/name"}, {"name": 1}),
        ("regex", "Finds what fits a pattern", {"regex": r"\w+"}, text),
        ("truncate", "Keeps the start of a text", {"truncate": size}, text),
        ("strip", "Takes white space off both ends", "strip", text),
    )
    for name, about, transform, sample in transforms:
        yield Offer(
            id=f"reshape:{name}",
            group="Shape",
            title=name,
            description=about,
            step={"input_transforms": [transform]},
            sample={"input": sample},
        )


def plugin_step(manifest: PluginManifest) -> Step:
    """Return a step that uses a plugin."""
    if manifest.kind == "model":
        return {"model": {"kind": "plugin", "name": manifest.name}}
    return {"uses": manifest.name}


def offered_step(entry: str, catalog: Catalog) -> tuple[str, Step]:
    """Return what to call the step of a palette entry, and the step.

    Raises:
        SpliceError: there is no such entry (`editor.unknown-entry`).
        InvalidWorkflow: the manifest of its plugin is wrong.
    """
    sort, _, name = entry.partition(":")
    if sort == "recipe" and name in catalog.recipes:
        return name, {"uses": name}
    if sort == "plugin" and (manifest := catalog.plugins.get(name)) is not None:
        return name, plugin_step(manifest)
    offers = {each.id: each for each in (*model_offers(catalog), *reshape_offers())}
    if entry not in offers:
        known = [
            *offers,
            *(f"recipe:{each}" for each in catalog.recipes),
            *(f"plugin:{each}" for each in catalog.plugins),
        ]
        what = f"the palette has no {entry!r}"
        raise SpliceError("editor.unknown-entry", what, mend=did_you_mean(entry, known))
    offer = offers[entry]
    return offer.title.split()[-1] if sort == "model" else name, offer.step
