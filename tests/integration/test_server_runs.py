# SPDX-License-Identifier: Apache-2.0
"""Runs of the editor's server: real models, the real store, the texts of open files."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from tests.models import CANNED_ANSWER, make_tiny_gguf
from tests.promptness import promised, within
from tests.running_lao import Lao

from lao.config import load_settings
from lao.durable import prepare_to_go_on
from lao.editor.edit_messages import EditsRequest, SetTextEdit
from lao.editor.folder import Folder
from lao.editor.workspace import Workspace
from lao.errors import InvalidWorkflow, LaoError, UsageError
from lao.runtime import Session, open_store
from lao.server.messages import PinRequest, RunRequest
from lao.server.runs import Runs

STORY = (
    "Ana Silva met Bob Stone in Lisbon on 3 May 2024. They spoke of the harbour. "
    "The harbour was to be rebuilt for 2 million euros. Nobody objected to that."
)
NOTES = """\
lao: 1
name: notes
inputs:
  text: { type: text, optional: true, default: "%s" }
steps:
  - id: summary
    uses: summarize
    model: { kind: embedded, name: summary }
    with: { text: "{{ inputs.text }}" }
  - id: people
    uses: extract-entities
    model: { kind: embedded, name: entities }
    with: { text: "{{ summary }}" }
  - id: shout
    input: "{{ summary | upper }}"
outputs:
  names: "{{ people }}"
  loud: "{{ shout }}"
"""

PLAIN = """\
lao: 1
name: plain
inputs:
  text: { type: text, default: "Ana Silva slept." }
steps:
  - id: first
    input: "{{ inputs.text }}"
  - id: second
    input: "{{ first | lower }}"
"""


class Desk:
    """A folder with its workspace, its runs, and what was told of them."""

    def __init__(self, folder, workspace, runs):
        self.folder, self.workspace, self.runs = folder, workspace, runs

    def asking(self, path="notes.yaml", **words):
        version = self.workspace.open(path).version
        return RunRequest(path=path, version=version, **words)

    async def run(self, path="notes.yaml", **words):
        """Run to the end; return its view."""
        started = await self.runs.start(self.asking(path, **words))
        await self.facts(started.run)
        return self.runs.view(started.run)

    async def facts(self, run, after=0):
        return [each async for each in self.runs.follow(run, after)]

    async def forecast(self, path="notes.yaml", **words):
        view = await self.runs.forecast(self.asking(path, **words))
        return {name: each.status for name, each in view.steps.items()}, view


@asynccontextmanager
async def opened(root, *, ephemeral=False):
    """Open a folder as `lao ui` does, but without a lock: this process is pytest's."""
    home = Lao(root.parent).environment  # where the command line would keep it
    settings = load_settings(home, ephemeral=ephemeral or None)
    told = []
    workspace = Workspace(
        Folder(root), settings, lambda kind, about: told.append((kind, {**about}))
    )
    store = None if ephemeral else open_store(settings)
    try:
        async with (
            Session(settings, store) as session,
            Runs(
                workspace=workspace,
                session=session,
                store=store,
                settings=settings,
                tell=lambda kind, about: told.append((kind, {**about})),
            ) as runs,
        ):
            desk = Desk(workspace.folder, workspace, runs)
            desk.told, desk.store, desk.settings = told, store, settings
            yield desk
    finally:
        workspace.close()
        if store is not None:
            store.close()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.yaml").write_text(NOTES % STORY)
    (folder / "plain.yaml").write_text(PLAIN)
    return folder


@pytest.fixture(params=[False, True], ids=["kept", "ephemeral"])
async def desk(root, request):
    async with opened(root, ephemeral=request.param) as desk:
        yield desk


@pytest.fixture
async def kept(root):
    async with opened(root) as desk:
        yield desk


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """Return a workflow of a model that talks for minutes."""
    folder = tmp_path_factory.mktemp("model")
    model = make_tiny_gguf(folder / "r.gguf", mode="random", n_ctx=32768)
    return f"""\
lao: 1
name: endless
models:
  talker:
    kind: llama.cpp
    model_path: {model}
    options: {{ num_thread: 1, num_ctx: 32768, num_predict: 30000, seed: 1 }}
steps:
  - id: talk
    model: talker
    prompt_template: "Hello"
  - id: after
    input: "{{{{ talk }}}}"
"""


async def until_it_talks(desk, run):
    async for each in desk.runs.follow(run, 0):
        if each.kind == "text-produced":
            return each
    raise AssertionError("it never said anything")


# --- carrying out


async def test_a_run_is_told_from_its_beginning_to_its_end(desk):
    view = await desk.run()
    kinds = [each.kind for each in await desk.facts(view.summary.id)]
    assert (kinds[0], kinds[-1]) == ("run-started", "run-finished")
    assert (view.summary.status, view.summary.steps, view.summary.done) == (
        "done",
        3,
        3,
    )
    assert "Ana Silva" in json.dumps(view.outputs["names"].data)
    assert view.outputs["loud"].text == view.steps["summary"].output.text.upper()
    begin, end = (about for kind, about in desk.told if kind == "run")
    assert (begin["status"], end["status"]) == ("running", "done")
    assert end == {"path": "notes.yaml", "run": view.summary.id, "status": "done"}


async def test_what_is_not_saved_runs_and_the_file_stays_as_it_was(kept, root):
    before = (root / "notes.yaml").read_bytes()
    document = kept.workspace.open("notes.yaml")
    text = document.text.replace("| upper", "| lower")
    edit = EditsRequest(
        path="notes.yaml",
        version=document.version,
        label="text",
        edits=[SetTextEdit(text=text)],
    )
    kept.workspace.edit(edit)
    view = await kept.run(until="shout")
    loud = view.outputs["shout"].text
    assert loud == loud.lower()
    assert (root / "notes.yaml").read_bytes() == before


async def test_what_cannot_run_does_not_begin(desk, root):
    (root / "bad.yaml").write_text("lao: 1\nname: x\nsteps:\n  - id: a\n    uses: no\n")
    with pytest.raises(InvalidWorkflow):
        await desk.run("bad.yaml")
    with pytest.raises(LaoError) as caught:
        await desk.runs.start(RunRequest(path="notes.yaml", version=1))
    assert caught.value.code == "editor.stale"
    with pytest.raises(UsageError):
        await desk.run(until="nobody")
    assert desk.runs.listed("notes.yaml", 9) == []


async def test_inputs_are_text_json_or_files_of_the_folder_and_no_others(kept, root):
    (root / "story.txt").write_text("Eva Maas wrote this.")
    (root.parent / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    view = await kept.run(inputs={"text": {"file": "story.txt"}})
    assert "Eva Maas" in json.dumps(view.outputs["names"].data)
    assert view.given == {"text": "Eva Maas wrote this."}
    for path in ("../secret.txt", "link.txt", str(root.parent / "secret.txt")):
        with pytest.raises(UsageError):
            await kept.run(inputs={"text": {"file": path}})


async def test_a_failed_step_is_told_with_what_to_do(kept, root):
    (root / "x.yaml").write_text(
        "lao: 1\nname: x\nsteps:\n  - id: a\n    prompt_template: hi\n"
        "    model: { kind: llama.cpp, model_path: no.gguf }\n"
    )
    view = await kept.run("x.yaml")
    a = view.steps["a"]
    assert (view.summary.status, a.status, a.code) == (
        "failed",
        "failed",
        "model.file-missing",
    )
    assert a.mend


async def test_the_same_run_is_seen_by_another_process(kept, root):
    view = await kept.run(until="shout")
    lao = Lao(root.parent)
    arguments = ("runs", "show", view.summary.name, "--json")
    told = json.loads((await asyncio.to_thread(lao, *arguments)).stdout)
    assert (told["id"], told["status"]) == (view.summary.id, "done")
    assert told["source"] == str(root / "notes.yaml")
    assert told["outputs"]["shout"] == view.outputs["shout"].text


# --- what is known already


async def test_a_run_from_a_step_on_takes_the_rest_from_the_cache(kept):
    await kept.run()
    view = await kept.run(start="people")
    assert view.steps["summary"].is_cached
    assert not view.steps["people"].is_cached
    statuses, _ = await kept.forecast(start="people")
    assert (statuses["summary"], statuses["people"]) == ("cached", "will run")


async def test_a_run_until_a_step_runs_no_others(desk):
    view = await desk.run("plain.yaml", until="first")
    assert list(view.steps) == ["first"]


async def test_a_forecast_says_why_and_what_is_in_the_way(kept):
    await kept.run()
    statuses, view = await kept.forecast(inputs={"text": "Another story."})
    assert statuses["summary"] == "will run"
    assert view.steps["summary"].changed == ["input"]
    _, view = await kept.forecast(inputs={"text": {"file": "missing.txt"}})
    assert [(each.code, each.severity) for each in view.problems] == [
        ("input.missing-file", "note")
    ]
    refused = await kept.runs.forecast(kept.asking(until="nobody"))
    assert [each.code for each in refused.problems] == ["step.unknown"]


# --- cancelling


@promised
async def test_cancel_stops_a_model_that_talks_within_a_second(kept, root, endless):
    pytest.importorskip("xllamacpp")
    (root / "endless.yaml").write_text(endless)
    run = (await kept.runs.start(kept.asking("endless.yaml"))).run
    first = await until_it_talks(kept, run)
    again = asyncio.create_task(kept.facts(run))
    view = kept.runs.view(run)
    assert (view.summary.status, view.steps["talk"].status) == ("running", "running")
    assert len(view.steps["talk"].text) >= len(first.fact["text"])
    with within(1.0):
        kept.runs.cancel(run)
        facts = await again
    assert facts[-1].fact["status"] == "cancelled"
    text = next(each.fact for each in facts if each.kind == "text-produced")
    assert text["whole"] is True
    assert text["text"].startswith(first.fact["text"])
    latest, *_ = kept.runs.listed("endless.yaml", 9)
    assert (latest.id, latest.status) == (run, "cancelled")
    kept.runs.cancel(run)  # it is over: nothing happens


async def test_what_was_pinned_is_pinned_when_a_cancelled_run_goes_on(
    kept, root, endless
):
    pytest.importorskip("xllamacpp")
    (root / "endless.yaml").write_text(endless)
    asked = kept.asking("endless.yaml", edited={"after": "known"})
    run = (await kept.runs.start(asked)).run
    await until_it_talks(kept, run)
    kept.runs.cancel(run)
    await kept.facts(run)
    record = kept.store.runs.find(run)
    again = prepare_to_go_on(kept.store, record, kept.settings)
    assert again.selection.pinned == {"after": "known"}
    assert again.plan.steps["after"].needs == frozenset()
    assert again.output_folder == root


async def test_several_run_at_once_and_the_end_of_the_server_cancels_them(
    root, endless
):
    pytest.importorskip("xllamacpp")
    (root / "endless.yaml").write_text(endless)
    async with opened(root) as desk:
        run = (await desk.runs.start(desk.asking("endless.yaml"))).run
        await until_it_talks(desk, run)
        assert (await desk.run("plain.yaml")).summary.status == "done"
    async with opened(root) as desk:
        assert desk.runs.view(run).summary.status == "cancelled"


# --- following


async def test_whoever_comes_back_sees_the_same_as_who_stayed(desk):
    run = (await desk.runs.start(desk.asking(until="summary"))).run
    live = await desk.facts(run)
    again = await desk.facts(run)
    told = [each for each in live if each.kind != "progress-made"]
    assert again == [each for each in told if each.kind != "text-produced"]
    middle = again[len(again) // 2].sequence
    assert await desk.facts(run, middle) == [e for e in again if e.sequence > middle]
    assert await desk.facts(run, again[-1].sequence) == []


async def test_a_model_that_speaks_is_heard_in_full(kept, root, tiny_gguf):
    pytest.importorskip("xllamacpp")
    (root / "say.yaml").write_text(
        "lao: 1\nname: say\nsteps:\n  - id: say\n    prompt_template: Hello\n"
        f"    model: {{ kind: llama.cpp, model_path: {tiny_gguf}, "
        "options: { num_thread: 1 } }\n"
    )
    run = (await kept.runs.start(kept.asking("say.yaml"))).run
    text = ""
    async for each in kept.runs.follow(run, 0):
        if each.kind == "text-produced":
            text = ("" if each.fact.get("whole") else text) + each.fact["text"]
        elif each.kind == "step-finished":
            assert each.output.text == CANNED_ANSWER
    assert CANNED_ANSWER.startswith(text)
    step = kept.runs.view(run).steps["say"]
    assert step.tokens_out
    assert step.worker.startswith("L")


async def test_a_run_that_is_not_there_is_refused(desk):
    for ask in (desk.runs.view, desk.runs.cancel, lambda run: desk.runs.follow(run, 0)):
        with pytest.raises(UsageError) as caught:
            ask("nobody")
        assert caught.value.code == "run.unknown"


# --- pins, and pauses before a step


async def test_a_pinned_step_gives_its_output_until_it_is_unpinned(desk):
    first = await desk.run(inputs={"text": "Ana Silva slept."})
    run = first.summary.id
    request = PinRequest(path="notes.yaml", step="summary", run=first.summary.name)
    assert desk.runs.pin(request).pins == {"summary": run}
    second = await desk.run(inputs={"text": "Bob Stone woke."})
    assert second.outputs["loud"] == first.outputs["loud"]
    assert second.steps["summary"].notes == ["its output was pinned"]
    statuses, _ = await desk.forecast(inputs={"text": "Bob Stone woke."})
    assert (statuses["summary"], statuses["people"]) == ("pinned", "cached")
    desk.runs.pin(PinRequest(path="notes.yaml", step="summary"))
    third = await desk.run(inputs={"text": "Bob Stone woke."})
    assert "BOB" in third.outputs["loud"].text


async def test_pins_survive_a_restart_and_are_not_in_the_folder(root):
    async with opened(root) as desk:
        run = (await desk.run("plain.yaml")).summary.id
        desk.runs.pin(PinRequest(path="plain.yaml", step="first", run=run))
    async with opened(root) as desk:
        assert desk.runs.pins("plain.yaml").pins == {"first": run}
        view = await desk.run("plain.yaml", inputs={"text": "Bob Stone woke."})
        assert view.steps["first"].notes == ["its output was pinned"]
        assert view.steps["second"].output.text == "ana silva slept."
    assert not [path for path in root.iterdir() if "pin" in path.name]


async def test_a_pin_whose_run_is_gone_is_said_and_used_by_nobody(kept, root):
    run = (await kept.run("plain.yaml")).summary.id
    kept.runs.pin(PinRequest(path="plain.yaml", step="first", run=run))
    kept.store.runs.remove([kept.store.runs.find(run)])
    _, forecast = await kept.forecast("plain.yaml")
    assert [each.code for each in forecast.problems] == ["editor.pin-lost"]
    with pytest.raises(UsageError) as caught:
        await kept.run("plain.yaml")
    assert caught.value.code == "editor.pin-lost"


async def test_only_an_output_can_be_pinned(desk):
    run = (await desk.run("plain.yaml", until="first")).summary.id
    with pytest.raises(UsageError) as caught:
        desk.runs.pin(PinRequest(path="plain.yaml", step="second", run=run))
    assert caught.value.code == "editor.no-output"


async def test_a_run_pauses_before_a_step_and_goes_on_with_what_was_edited(desk):
    paused = await desk.run(
        pause_before=["people"], inputs={"text": "Ana Silva slept."}
    )
    assert list(paused.steps) == ["summary", "shout"]
    assert (paused.summary.status, paused.summary.paused_before) == ("done", ["people"])
    assert desk.runs.listed("notes.yaml", 9)[0].paused_before == ["people"]
    view = await desk.run(
        continues=paused.summary.id, edited={"summary": "Eva Maas came."}
    )
    assert "Eva Maas" in json.dumps(view.outputs["names"].data)
    assert view.outputs["loud"].text == "- ANA SILVA SLEPT."
    assert view.given == {"text": "Ana Silva slept."}
    with pytest.raises(UsageError) as caught:
        await desk.run(continues=paused.summary.id, edited={"summary": {"no": "text"}})
    assert caught.value.code == "step.pin-does-not-fit"


async def test_a_run_pauses_on_every_branch(desk):
    pauses = ["shout", "people"]
    paused = await desk.run(pause_before=pauses, inputs={"text": "Ana Silva slept."})
    assert (list(paused.steps), paused.summary.paused_before) == (["summary"], pauses)
    view = await desk.run(continues=paused.summary.id, pause_before=["people"])
    assert (list(view.steps), view.summary.status) == (["summary", "shout"], "done")


async def test_a_run_from_a_step_can_pause_before_that_step(desk):
    paused = await desk.run("plain.yaml", start="second", pause_before=["second"])
    assert list(paused.steps) == ["first"]


async def test_a_run_can_pause_before_its_first_step(desk):
    paused = await desk.run("plain.yaml", pause_before=["first"])
    assert (paused.summary.status, paused.steps) == ("done", {})
    view = await desk.run("plain.yaml", continues=paused.summary.id)
    assert view.summary.status == "done"


# --- looking back


async def test_the_runs_of_a_file_are_listed_the_latest_first(desk, root):
    (root / "other.yaml").write_text(NOTES % "Other.")
    first, second = await desk.run(), await desk.run(until="summary")
    await desk.run("other.yaml")
    listed = desk.runs.listed("notes.yaml", 9)
    assert [each.id for each in listed] == [second.summary.id, first.summary.id]
    assert [each.id for each in desk.runs.listed("notes.yaml", 1)] == [
        second.summary.id
    ]


async def test_two_runs_are_compared_side_by_side(desk):
    before = await desk.run("plain.yaml", inputs={"text": "Ana Silva slept."})
    after = await desk.run("plain.yaml", inputs={"text": "Bob Stone woke."})
    found = desk.runs.compare(before.summary.name, after.summary.id)
    assert not found.is_same
    [change] = found.inputs
    assert (change.before, change.after) == ("Ana Silva slept.", "Bob Stone woke.")
    pair = {each.name: each for each in found.steps}["second"]
    assert pair.after.output.text == "bob stone woke."
    assert desk.runs.compare(before.summary.id, before.summary.id).is_same


async def test_a_long_value_is_read_page_by_page(desk):
    text = "Ana spoke. " * 100_000
    run = (await desk.run("plain.yaml", inputs={"text": text})).summary.id
    pages, offset = [], 0
    while offset is not None:
        page = desk.runs.page(run, "second", offset)
        pages.append(page.text)
        offset = page.next
    assert "".join(pages) == text.lower()
    assert len(pages) > 3
    with pytest.raises(UsageError):
        desk.runs.page(run, "third", 0)


async def test_an_element_of_a_list_is_read_by_its_place(kept, root):
    (root / "each.yaml").write_text(
        "lao: 1\nname: each\ninputs:\n  lines: { type: text }\nsteps:\n"
        '  - id: split\n    input: "{{ inputs.lines }}"\n'
        "    input_transforms: [lines]\n"
    )
    run = (await kept.run("each.yaml", inputs={"lines": "a\nb\nc"})).summary.id
    assert kept.runs.page(run, "split.1", 0).text == "b"
    assert kept.runs.page(run, "split", 0).text == '["a", "b", "c"]'
