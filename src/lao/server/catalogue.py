# SPDX-License-Identifier: Apache-2.0
"""Routes of what workflows are made of: the steps to choose from, and the models here."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from lao.backend_factory import client_of
from lao.config import Settings
from lao.editor.folder import Folder
from lao.editor.palette import palette
from lao.editor.palette_messages import ModelView, PaletteView
from lao.errors import LaoError
from lao.isolation.confinement import Confinement
from lao.model_list import (
    ListedModel,
    ask_ollama,
    embedded_models,
    files_on_disk,
    model_folders,
    plugin_models,
)
from lao.server.routes import Call, Route


async def steps_ahead(settings: Settings, folder: Folder) -> PaletteView | None:
    """Begin what the first page will ask, while the browser starts; None if it fails."""
    with suppress(LaoError):  # whoever asks is told
        return await asyncio.to_thread(palette, settings, folder.root)
    return None


def catalogue_routes(
    folder: Folder,
    settings: Settings,
    confinement: Confinement,
    begun: asyncio.Task[PaletteView | None],
) -> list[Route]:
    """Return the routes; model servers are asked through the confinement.

    Who asks while `begun` is under way gets what it gives: nothing can have changed.
    """

    async def steps(_: Call) -> PaletteView:
        early = None if begun.done() else await asyncio.shield(begun)
        if early is not None:
            return early
        return await asyncio.to_thread(palette, settings, folder.root)

    async def models(_: Call) -> list[ModelView]:
        client = client_of(settings.endpoint, confinement)
        server = await ask_ollama(client)
        here = await asyncio.to_thread(lambda: list(_local(settings)))
        return [_view(each) for each in (*server.models, *here)]

    return [
        Route(
            method="GET",
            path="/api/palette",
            handler=steps,
            about="List the steps that can be added, and what fits what.",
            reply=PaletteView,
        ),
        Route(
            method="GET",
            path="/api/models",
            handler=models,
            about="List the models that can run here and now.",
            reply=list[ModelView],
        ),
    ]


def _local(settings: Settings) -> Iterator[ListedModel]:
    folders, cache = model_folders(settings, ()), settings.folders.cache
    yield from files_on_disk(folders, cache=cache, hashing=lambda _: False)
    yield from plugin_models(settings.folders.data)
    yield from embedded_models()


def _view(model: ListedModel) -> ModelView:
    return ModelView(
        name=model.name,
        kind=model.kind,
        about=model.about,
        size=model.size,
        problem=model.problem,
    )
