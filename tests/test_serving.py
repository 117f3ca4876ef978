"""What a run saves is served unchanged by `transformers serve`, and answers an OpenAI client on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm.checkpoints import load
from learn_llm.minimal_impls import sft
from tests.small_models import llama_folder, world_tokenizer

PATIENCE = 120
MESSAGES: Any = [{"role": "user", "content": "is the ball red?"}]

pytestmark = pytest.mark.skipif(
    any(find_spec(package) is None for package in ("openai", "fastapi", "uvicorn")),
    reason="needs pip install 'transformers[serving]'",
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The --out folder of a short run of SFT, its state to go on from included."""
    folder = tmp_path_factory.mktemp("served")
    start = llama_folder(folder / "start", world_tokenizer(), context=128)
    config = sft.Config(
        model=start, steps=1, batch_size=2, demonstrations=2, max_new_tokens=1, device="cpu", out=str(folder / "out")
    )
    list(sft.run(config))
    return str(folder / "out")


@pytest.fixture(scope="module")
def address(saved: str) -> Iterator[str]:
    """A server of that folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", saved, "--device", "cpu"]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None, server.communicate()[1]
            assert time.monotonic() < until, f"no server after {PATIENCE} s"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.communicate(timeout=20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def greedy(saved: str, count: int) -> str:
    """What this package answers itself."""
    model, tokenizer = load(saved)
    assert tokenizer is not None
    prompt = tokenizer.apply_chat(MESSAGES)
    ids = list(prompt)
    for _ in range(count):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        if ids[-1] == tokenizer.eos_id:
            break
    return tokenizer.decode([i for i in ids[len(prompt) :] if i != tokenizer.eos_id])


@pytest.mark.filterwarnings("default")
def test_a_client_gets_the_same_answer_whole_and_streamed(saved: str, address: str) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=address, api_key="none")
    settings: Any = {"model": saved, "messages": MESSAGES, "max_tokens": 6, "temperature": 0}
    whole = client.chat.completions.create(**settings)
    answer = whole.choices[0].message.content
    assert answer.split() == greedy(saved, 6).split() != []
    pieces = [chunk.choices[0].delta.content for chunk in client.chat.completions.create(**settings, stream=True)]
    assert "".join(piece or "" for piece in pieces).split() == answer.split()
    assert len([piece for piece in pieces if piece]) > 1
