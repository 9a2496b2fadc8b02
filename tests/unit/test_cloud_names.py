# SPDX-License-Identifier: Apache-2.0
"""LAO reads a model's name exactly as Ollama does, when it asks: is this the cloud?"""

import pytest
from hypothesis import given, strategies as st

from lao.backends.ollama_api import full_name
from lao.backends.ollama_guard import is_cloud_name, understands_local


@pytest.mark.parametrize(
    "name",
    [
        "x:cloud",
        "x:CLOUD",
        " X:CLOUD ",
        "\tx:cloud\n",
        "x: cloud",
        "x:cloud\u00a0",
        "a:8b-cloud",
        "a:8B-Cloud",
        "a:8b:cloud",
        "a:8b: -cloud",
        "gpt-oss:120b-cloud",
        "library/gpt-oss:cloud",
        "localhost:11434/library/foo:cloud",
        ":cloud",
        "x:-cloud",
        "x:local:cloud",
    ],
)
def test_a_name_of_the_cloud_is_one(name):
    assert is_cloud_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cloud",
        "my-cloud",
        "my-cloud-model",
        "my-cloud:8b",
        "x:cloudy",
        "x:cloud-8b",
        "x:cloud/y",
        "foo:bar-cloud/baz",
        "reg:5000/x-cloud",
        "x:latest",
        "x:8b:local",
        "x:xcloud",
    ],
)
def test_any_other_name_is_not(name):
    assert not is_cloud_name(name)


@given(
    st.text(max_size=20),
    st.text(alphabet=" \t\r\n", max_size=3),
    st.sampled_from([":cloud", ":CLOUD", ":8b-cloud", ":Latest-Cloud"]),
)
def test_neither_case_nor_space_nor_what_goes_before_hides_it(start, space, end):
    assert is_cloud_name(f"{space}{start}{end}{space}")
    assert is_cloud_name(f"{start}{end}".swapcase())


@given(st.text(alphabet=st.characters(exclude_characters=":"), max_size=30))
def test_without_a_colon_nothing_is_of_the_cloud(name):
    assert not is_cloud_name(name)


@pytest.mark.parametrize(
    "version", ["0.18.0", "0.18.12", "0.32.15", "1.0.0", "v0.18.0"]
)
def test_a_new_server_understands_local(version):
    assert understands_local(version)


@pytest.mark.parametrize(
    "version",
    [
        "",
        "0.0.0",
        "0.17.9",
        "0.18",
        "0.18.0-rc1",
        "0.18.0+x",
        "0.٢٠.0",
        "0.19.0\n",
        "x",
    ],
)
def test_an_old_or_odd_server_is_not_trusted_to(version):
    assert not understands_local(version)


def test_a_name_without_a_tag_means_latest():
    assert full_name(" Llama3.2 ") == full_name("llama3.2:latest")
    assert full_name("reg:5000/x") == "reg:5000/x:latest"
    assert full_name("x:8b") != full_name("x")
