# SPDX-License-Identifier: Apache-2.0
"""`lao models`: what can run here and now."""

import asyncio
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import asdict

from lao.backend_factory import client_of
from lao.backends.model_files import ModelFile
from lao.cli.confined import confined
from lao.cli.options import common, settings_from
from lao.cli.run_words import one_line
from lao.cli.tables import size_words, table
from lao.cli.terminal import write_answer, write_note
from lao.model_list import (
    ListedModel,
    Server,
    ask_ollama,
    embedded_models,
    files_on_disk,
    model_folders,
    plugin_models,
)

_SHORT_DIGEST = 12


@click.command(name="models")
@click.option(
    "--model-dir",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Look for model files below DIR too.",
)
@click.option("--digests", is_flag=True, help="Read files whole to name their content.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
def command(
    folders: Sequence[Path], *, digests: bool, as_json: bool, **flags: object
) -> int:
    """List the models that can run here and now.

    These are the models of the Ollama server, GGUF and whisper.cpp files below the
    folders of Hugging Face and LM Studio, ~/models and every --model-dir, plugins that
    are models, and the models that come with LAO. The first column is what to type after --model.
    """
    settings = settings_from(flags)
    quiet = bool(flags.get("quiet"))

    def hashing(file: ModelFile) -> bool:
        if digests and not quiet:
            write_note(f"reading {file.path} ({size_words(file.size)}) …")
        return digests

    with confined(settings, (), asks_server=True) as confinement:
        client = client_of(settings.endpoint, confinement)
        server = asyncio.run(ask_ollama(client))
    found = [
        *server.models,
        *files_on_disk(
            model_folders(settings, folders),
            cache=settings.folders.cache,
            hashing=hashing,
        ),
        *plugin_models(settings.folders.data),
        *embedded_models(),
    ]
    if as_json:
        write_answer(_as_json(server, found))
    else:
        write_answer(_as_table(found))
    if not quiet:
        _note_gaps(server, [*folders, *settings.model_dirs])
    return 0


def _as_table(found: Sequence[ListedModel]) -> str:
    header = ("MODEL", "SIZE", "QUANT", "CONTEXT", "DIGEST", "NOTE")
    rows = [
        (
            shlex.quote(one.name),
            size_words(one.size),
            one.quantization,
            "" if one.context_length is None else str(one.context_length),
            one.digest.removeprefix("sha256:")[:_SHORT_DIGEST],
            one.problem or (one.about if one.kind in ("embedded", "plugin") else ""),
        )
        for one in found
    ]
    return table(header, rows)


def _as_json(server: Server, found: Sequence[ListedModel]) -> str:
    problem = server.problem
    report = {
        "ollama": {
            "endpoint": server.endpoint,
            "version": server.version,
            "problem": None
            if problem is None
            else {"code": problem.code, "what": problem.what, "mend": problem.mend},
        },
        "models": [asdict(one) for one in found],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _note_gaps(server: Server, folders: Sequence[Path]) -> None:
    if server.problem is not None:
        write_note(f"note[{server.problem.code}]: {one_line(server.problem.what)}")
        if server.problem.mend:
            write_note(f"  mend: {one_line(server.problem.mend)}")
    for folder in folders:
        try:
            next(folder.iterdir(), None)
        except OSError as error:
            reason = error.strerror or str(error)
            write_note(f"note[models.folder]: cannot look into {folder}: {reason}")
