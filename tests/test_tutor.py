"""The recipe in docs/tutor.md runs as it stands there, with a little Llama and two steps."""

import json
import re
import shlex
import textwrap
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from learn_llm import model_store
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.export_data import KINDS, rows
from learn_llm.running import main
from tests.small_models import llama_folder

TEXT = (Path(__file__).parents[1] / "docs" / "tutor.md").read_text("utf-8")
FILES = {
    "sft.jsonl": ("sft", slice(0, 2)),
    "pairs.jsonl": ("preferences", slice(0, 2)),
    "held-out.jsonl": ("sft", slice(2, 3)),
    "held-out-pairs.jsonl": ("preferences", slice(2, 3)),
}
TRAINING = [
    shlex.split(command.replace("\\\n", " ")) for command in re.findall(r"^ {4}(python -m (?:.*\\\n)*.*)", TEXT, re.M)
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the exported files and a model called smollm2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_store, "user_folder", lambda: tmp_path / "nobody's")
    questions = load_bank(lang="en").questions
    for name, (kind, some) in FILES.items():
        assert f"export {kind} " in TEXT
        assert f"--out {name}\n" in TEXT
        written = rows(questions[some], next(known for known in KINDS if known == kind))
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in written))
    llama_folder(tmp_path / "smollm2", context=1024)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_the_commands_and_the_measurement(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [command[2].rpartition(".")[2] for command in TRAINING] == ["sft", "dpo"]
    for command in TRAINING:
        options = dict(zip(command[3::2], command[4::2], strict=True))
        assert options.keys() >= {"--model", "--data", "--out", "--steps", "--batch-size", "--log-dir"}
        options |= {"--steps": "2", "--batch-size": "2", "--device": "cpu"}
        if find_spec("tensorboard") is None:
            del options["--log-dir"]
        method = import_module(command[2])
        with pytest.raises(SystemExit) as stop:
            main(method.run, method.Config, [*(word for pair in options.items() for word in pair), "--json"])
        assert stop.value.code == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "verdict"
    measure = re.search(r"^ {4}from statistics(?:.*\n)+?(?=\S)", TEXT, re.M)
    assert measure is not None
    exec(textwrap.dedent(measure[0]), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["smollm2", "tutor-sft", "tutor"]
    assert all(re.fullmatch(r".*: \d+\.\d{3} nats a token, prefers the good answer in \d+% of .*", x) for x in lines)
