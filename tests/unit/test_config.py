# SPDX-License-Identifier: Apache-2.0
"""A flag beats the environment, the environment the file, the file the default."""

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lao.config import as_endpoint, find_folders, load_settings
from lao.errors import LaoError, RefusedByPolicy, UsageError
from lao.policy import DEFAULT_ENDPOINT, LoopbackEndpoint


@pytest.fixture
def load(tmp_path):
    """Return a loader of settings from the text of a file, variables and flags."""

    def load(text=None, environment=None, **flags):
        if text is not None:
            (tmp_path / "lao").mkdir(exist_ok=True)
            (tmp_path / "lao" / "config.toml").write_text(text, "utf-8")
        given = {"HOME": "/home/ana", "XDG_CONFIG_HOME": str(tmp_path)}
        return load_settings(given | (environment or {}), **flags)

    return load


def test_without_anything_the_defaults_are_in_force(load):
    settings = load()
    assert settings.endpoint == DEFAULT_ENDPOINT
    assert (settings.model, settings.per_model, settings.debug) == (None, 1, False)
    assert settings.origins == {}


def test_each_source_beats_the_one_before_and_is_remembered(load, tmp_path):
    text = 'model = "a"\nper_model = 2\nparallel_steps = 3\n'
    environment = {"LAO_MODEL": "b", "LAO_PER_MODEL": "4"}

    settings = load(text, environment, model="c", debug=None)

    assert (settings.model, settings.per_model, settings.parallel_steps) == ("c", 4, 3)
    assert settings.origins == {
        "model": "--model",
        "per_model": "LAO_PER_MODEL",
        "parallel_steps": str(tmp_path / "lao" / "config.toml"),
    }


def test_an_empty_variable_is_not_set(load):
    assert load(environment={"LAO_MODEL": "", "OLLAMA_HOST": ""}).origins == {}


def test_every_setting_can_stand_in_the_file(load):
    settings = load(
        'speech_model = "whisper.cpp:a.bin"\nendpoint = "unix:/run/o.sock"\n'
        'require_no_cloud = true\nmodel_dirs = ["/m", "~/n"]\nhub_cache = "/h"\n'
        "color = false\ndebug = true\n"
    )
    assert settings.endpoint == LoopbackEndpoint("unix:/run/o.sock")
    assert settings.model_dirs == (Path("/m"), Path("~/n").expanduser())
    assert (settings.hub_cache, settings.color) == (Path("/h"), False)
    assert settings.require_no_cloud
    assert settings.debug


@pytest.mark.parametrize(
    ("variables", "name", "value"),
    [
        ({"HF_HOME": "/hf"}, "hub_cache", Path("/hf/hub")),
        ({"HF_HOME": "/hf", "HF_HUB_CACHE": "/c"}, "hub_cache", Path("/c")),
        ({"NO_COLOR": "1"}, "color", False),
        ({"LAO_MODEL_DIRS": "/a::/b"}, "model_dirs", (Path("/a"), Path("/b"))),
        ({"LAO_WORKER_MEMORY": "8GiB"}, "worker_memory", 8 << 30),
        ({"LAO_REQUIRE_NO_CLOUD": "Yes"}, "require_no_cloud", True),
        (
            {"OLLAMA_HOST": "0.0.0.0:1"},
            "endpoint",
            LoopbackEndpoint("http://127.0.0.1:1"),
        ),
    ],
)
def test_what_the_environment_says(load, variables, name, value):
    settings = load(environment=variables)
    assert getattr(settings, name) == value
    assert settings.origins[name] in variables


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("localhost:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("[::]:8080", "http://[::1]:8080"),
    ],
)
def test_ollama_s_own_variable_may_leave_parts_out(host, endpoint):
    assert as_endpoint(host) == endpoint


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.5",
        "evil.example:11434",
        "https://127.0.0.1:11434",
        "127.0.0.1@evil",
        "localhost.evil",
        "0.0.0.1",
        "[::ffff:127.0.0.1]:80",
        "127.0.0.1:80/x",
        "2130706433",
    ],
)
def test_an_endpoint_elsewhere_is_refused_and_its_origin_is_said(load, host):
    with pytest.raises(RefusedByPolicy, match="from OLLAMA_HOST") as caught:
        load(environment={"OLLAMA_HOST": host})
    assert caught.value.code == "policy.endpoint-not-loopback"


def test_what_is_overridden_may_be_wrong(load):
    environment = {"OLLAMA_HOST": "192.168.1.5", "LAO_PER_MODEL": "many"}
    settings = load(
        "parallel_steps = 0", environment, per_model=2, parallel_steps=2,
        endpoint="http://127.0.0.1:1",
    )  # fmt: skip
    assert settings.endpoint == LoopbackEndpoint("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("model = ", "config.syntax", "not TOML"),
        ("modle = 'x'", "config.unknown-key", "did you mean 'model'"),
        ("origins = 'x'", "config.unknown-key", "no setting"),
        ("model = 5", "config.bad-value", "config.toml"),
        ("model = ' '", "config.bad-value", "must be a text"),
        ("per_model = 0", "config.bad-value", "1 to 10,000"),
        ("per_model = 1.5", "config.bad-value", "1 to 10,000"),
        ("worker_memory = 'much'", "config.bad-value", "such as 8GiB"),
        ("debug = 'maybe'", "config.bad-value", "true or false"),
        ("model_dirs = '~no-such-user-here/x'", "config.bad-value", "model_dirs"),
        ("endpoint = 'http://evil'", "policy.endpoint-not-loopback", "config.toml"),
    ],
)
def test_a_bad_setting_is_refused_and_its_origin_is_said(load, text, code, words):
    with pytest.raises(LaoError) as caught:
        load(text)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "lao" / "config.toml").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert caught.value.code == "config.unreadable"


@pytest.mark.parametrize("what", ["a FIFO", "a device", "a flood"])
def test_a_settings_file_never_keeps_us_waiting(tmp_path, what):
    path = tmp_path / "lao" / "config.toml"
    path.parent.mkdir()
    match what:
        case "a FIFO":
            os.mkfifo(path)
        case "a device":
            path.symlink_to("/dev/zero")
        case _:
            path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(UsageError) as caught:
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert caught.value.code == "config.unreadable"


@given(
    st.text(max_size=30)
    | st.from_regex(r"(http://)?[\[\]:.0-9a-z]{1,20}", fullmatch=True)
)
def test_ollama_s_own_variable_gives_an_address_of_this_machine_or_none(host):
    try:
        endpoint = LoopbackEndpoint(as_endpoint(host))
    except RefusedByPolicy:
        return
    assert endpoint.url.startswith(("http://127.0.0.1:", "http://[::1]:"))


def test_folders_follow_the_xdg_rules():
    folders = find_folders({"HOME": "/home/ana", "XDG_DATA_HOME": "/data"})
    assert folders.config == Path("/home/ana/.config/lao")
    assert folders.data == Path("/data/lao")
    assert folders.cache == Path("/home/ana/.cache/lao")


def test_a_relative_xdg_folder_is_ignored():
    folders = find_folders({"HOME": "/home/ana", "XDG_DATA_HOME": "data"})
    assert folders.data == Path("/home/ana/.local/share/lao")
