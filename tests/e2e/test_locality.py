# SPDX-License-Identifier: Apache-2.0
"""The promise, seen from outside: no prompt leaves, no connection but to loopback."""

import json
import re
import shutil

import pytest
from tests.e2e.fake_server import serving
from tests.fake_ollama import STREAM_HEAD, answer, done, lines, said, shown, stream
from tests.models import CANNED_ANSWER

CANARY = "the-canary-of-the-house"
ASK = ("chain", f"'{CANARY}' | summarize")


@pytest.fixture
def local(lao):
    """A healthy server, and `lao` that is set to use it."""
    with serving() as fake:
        yield fake, lao.having(LAO_ENDPOINT=str(fake.endpoint))


def test_the_witness_sees_a_prompt_that_is_sent(local):
    fake, lao = local
    ended = lao(*ASK, "--model", "llama3.2")
    assert (ended.code, ended.answer) == (0, "Hello\n"), ended.told
    assert fake.has_seen(CANARY)


CLOUD = ["x:cloud", " X:CLOUD ", "gpt-oss:120b-cloud", "a/b:8b-Cloud\t"]


@pytest.mark.parametrize("name", CLOUD)
def test_a_cloud_model_is_refused_by_its_name(local, name):
    fake, lao = local
    ended = lao(*ASK, "--model", f"ollama:{name}")
    assert ended.complains(5, "policy.remote-model")
    assert (fake.connections, fake.has_seen(CANARY)) == (0, False)


def test_a_cloud_model_is_refused_wherever_it_is_named(local):
    fake, lao = local
    assert lao.having(LAO_MODEL="x:cloud")(*ASK).complains(5, "policy.remote-model")
    stage = lao("chain", f"'{CANARY}' | 'ollama:x:cloud'")
    assert stage.complains(5, "policy.remote-model")
    lao.file("home/.config/lao/config.toml", 'model = "a:CLOUD"')
    assert lao(*ASK).complains(5, "policy.remote-model")
    assert (fake.connections, fake.has_seen(CANARY)) == (0, False)


FILE = """\
lao: 1
name: notes
steps:
  - id: summary
    model: {{ kind: ollama, model: {model} }}
    prompt_template: the-canary-of-the-house
    on_error: {{ use: {{ kind: ollama, model: {other} }} }}
"""


def test_a_check_finds_the_cloud_models_of_files(local):
    fake, lao = local
    for number, name in enumerate(CLOUD):
        lao.file(f"{number}.yaml", FILE.format(model=json.dumps(name), other="local"))
    files = [f"{number}.yaml" for number in range(len(CLOUD))]
    found = lao("check", "--json", *files)
    codes = [
        [problem["code"] for problem in found.report[file]["problems"]]
        for file in files
    ]
    assert codes == [["policy.remote-model"]] * len(CLOUD)
    assert not fake.has_seen(CANARY)


def test_a_cloud_model_is_no_fallback_and_no_failure_to_fall_back_from(local):
    fake, lao = local
    fake.scripts["/api/chat"] = [answer({"error": "broken"}, 500)]
    lao.file("w.yaml", FILE.format(model="llama3.2", other='"x:cloud"'))
    assert lao("run", "w.yaml").complains(5, "policy.remote-model")
    fake.received.clear()
    lao.file("w.yaml", FILE.format(model='"x:cloud"', other="llama3.2"))
    assert lao("run", "w.yaml").complains(5, "policy.remote-model")
    assert not fake.has_seen(CANARY)


STUBS = {
    "a remote host": ("/api/show", shown(remote_host="https://x.com"), 5),
    "a remote model": ("/api/show", shown(remote_model="big:120b"), 5),
    "an unproved model": ("/api/show", answer({"error": "?"}, 500), 5),
    "a redirected question": ("/api/show", answer({}, 307), 5),
}


@pytest.mark.parametrize("name", STUBS)
def test_a_model_that_is_not_proved_local_gets_no_prompt(local, name):
    fake, lao = local
    path, reply, code = STUBS[name]
    fake.scripts[path] = [reply]
    ended = lao(*ASK, "--model", "llama3.2")
    assert ended.complains(code, *ended.problems)
    assert not fake.has_seen(CANARY)


def test_a_redirected_prompt_goes_nowhere_else(local):
    fake, lao = local
    with serving() as elsewhere:
        where = f"HTTP/1.1 307 X\r\nLocation: {elsewhere.endpoint}/api/chat\r\n"
        fake.scripts["/api/chat"] = [[f"{where}Content-Length: 0\r\n\r\n".encode()]]
        ended = lao(*ASK, "--model", "llama3.2")
        assert ended.complains(5, "http.redirect-refused")
        assert elsewhere.connections == 0


def test_a_remote_answer_is_dropped_however_late_it_shows(local):
    fake, lao = local
    late = [said("Hel"), said("lo"), done(remote_host="https://x.com")]
    fake.scripts["/api/chat"] = [stream(*late)]
    ended = lao(*ASK, "--model", "llama3.2", "--events", "events.ndjson")
    assert ended.complains(5, "policy.remote-model")
    told = (lao.folder / "events.ndjson").read_text().splitlines()
    events = [json.loads(line) for line in told]
    (violation,) = [each for each in events if each["kind"] == "policy-violated"]
    assert (violation["step"], violation["code"]) == (
        "summarize",
        "policy.remote-model",
    )
    assert events[-1]["outputs"] == {}
    fake.scripts["/api/chat"] = [[STREAM_HEAD, *lines(said("a", remote_model="b"))]]
    report = lao(*ASK, "--model", "llama3.2", "--json").report
    assert report["violations"][0]["code"] == "policy.remote-model"


def test_a_server_whose_cloud_is_on_is_refused_on_demand(local):
    fake, lao = local
    fake.scripts["/api/status"] = [answer({"cloud": {"disabled": False}})]
    ended = lao(*ASK, "--model", "llama3.2", "--require-no-cloud")
    assert ended.complains(5, "policy.cloud-not-disabled")
    assert not fake.has_seen(CANARY)
    assert lao(*ASK, "--model", "llama3.2").code == 0


def test_a_plan_asks_what_a_model_is_and_sends_it_nothing(local):
    fake, lao = local
    planned = lao(*ASK, "--model", "llama3.2", "--explain")
    assert "ollama:llama3.2" in planned.answer
    saved = lao(*ASK, "--model", "llama3.2", "--save", "w.yaml", "--explain", "--json")
    assert saved.report["steps"][0]["models"] == ["ollama:llama3.2"]
    assert "ollama:llama3.2" in lao("run", "w.yaml", "--dry-run").answer
    assert set(fake.paths).isdisjoint({"/api/chat", "/api/generate", "/api/embed"})
    assert not fake.has_seen(CANARY)


def test_proxies_of_the_environment_see_nothing(local):
    fake, lao = local
    names = ("http_proxy", "https_proxy", "all_proxy")
    with serving() as proxy:
        where = str(proxy.endpoint)
        proxies = dict.fromkeys([*names, *map(str.upper, names)], where)
        assert lao.having(**proxies)(*ASK, "--model", "llama3.2").code == 0
        assert proxy.connections == 0
    assert fake.has_seen(CANARY)


# Each would reach the witness, or this machine, or the outside, if it were believed.
TRICKS = [
    "http://localhost:{port}",
    "http://127.0.0.1:{port}@example.com/",
    "http://example.com:{port}",
    "http://user@127.0.0.1:{port}",
    "http://127.0.0.1:{port}/path",
    "http://127.0.0.1:{port}?x",
    "http://127.0.0.1.:{port}",
    "http://127.1:{port}",
    "http://2130706433:{port}",
    "http://0x7f.0.0.1:{port}",
    "http://0177.0.0.1:{port}",
    "http://0.0.0.0:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://[::1%lo]:{port}",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port} ",
    "http://127.0.0.1:{port}\r\nHost: example.com",
    "http://\uff11\uff12\uff17.0.0.1:{port}",
    "http://127.0.0.1",
    "unix:relative.sock",
    "",
]


def test_no_endpoint_but_loopback_gets_into_a_workflow(local):
    fake, lao = local
    for number, trick in enumerate(TRICKS):
        endpoint = json.dumps(trick.format(port=fake.port))
        text = FILE.format(model=f"m, endpoint: {endpoint}", other="m")
        lao.file(f"{number}.yaml", text)
    files = [f"{number}.yaml" for number in range(len(TRICKS))]
    found = lao("check", "--json", *files)
    assert found.code == 2
    for trick, file in zip(TRICKS, files, strict=True):
        codes = {each["code"] for each in found.report[file]["problems"]}
        assert codes == {"policy.endpoint-not-loopback"}, trick
        assert found.report[file]["problems"][0]["where"]["line"] == 5
    ran = lao("run", "1.yaml")
    assert ran.complains(2, "policy.endpoint-not-loopback")
    assert fake.connections == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAO_ENDPOINT", "http://example.com:{port}"),
        ("LAO_ENDPOINT", "http://localhost:{port}"),
        ("OLLAMA_HOST", "example.com"),
        ("OLLAMA_HOST", "http://127.0.0.1:{port}@example.com"),
        ("OLLAMA_HOST", "https://127.0.0.1:{port}"),
    ],
)
def test_no_endpoint_but_loopback_comes_from_the_environment(local, name, value):
    fake, lao = local
    there = lao.having(**{name: value.format(port=fake.port)})
    there = there if name == "LAO_ENDPOINT" else there.having(LAO_ENDPOINT="")
    ended = there(*ASK, "--model", "llama3.2")
    assert ended.complains(5, "policy.endpoint-not-loopback")
    assert fake.connections == 0


STRACE = shutil.which("strace")
CONNECT = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*?(sa_family=AF_\w+[^}]*)")


@pytest.mark.skipif(STRACE is None, reason="no strace here")
def test_the_kernel_is_asked_for_loopback_and_nothing_else(local, tiny_gguf):
    fake, lao = local
    lao.file("w.yaml", WHOLE.format(gguf=tiny_gguf))
    trace = lao.folder / "trace"
    calls = "trace=connect,sendto,sendmsg,sendmmsg,bind"
    strace = (STRACE, "-f", "-qq", "-e", calls, "-o", str(trace))
    with lao.started("run", "w.yaml", prefix=strace) as process:
        out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    assert set(json.loads(out)) == {"served", "canned", "summed", "named"}
    assert CANNED_ANSWER in out.decode()
    calls = trace.read_text().splitlines()
    # Refused are the self-checks, which must be; netlink is bubblewrap and the kernel.
    allowed = [call for call in calls if "EACCES" not in call and "EPERM" not in call]
    found = {address for call in allowed for address in CONNECT.findall(call)}
    addresses = {address for address in found if "AF_NETLINK" not in address}
    assert len(allowed) < len(calls)
    here = f'sa_family=AF_INET, sin_port=htons({fake.port}), sin_addr=inet_addr("127.0.0.1")'
    assert addresses == {here}


WHOLE = """\
lao: 1
name: whole
steps:
  - id: served
    model: {{ kind: ollama, model: llama3.2 }}
    prompt_template: Say hello.
  - id: canned
    model: {{ kind: llama.cpp, model_path: {gguf} }}
    prompt_template: "{{{{ served }}}}"
  - {{ id: summed, uses: summarize, with: {{ text: "{{{{ canned }}}}" }} }}
  - {{ id: named, uses: extract-entities, with: {{ text: "{{{{ canned }}}}" }} }}
outputs:
  {{ served: "{{{{ served }}}}", canned: "{{{{ canned }}}}", summed: "{{{{ summed }}}}", named: "{{{{ named }}}}" }}
"""
