"""Writes a run as TensorBoard logs: `--log-dir FOLDER`, one folder a run, then `tensorboard --logdir FOLDER/..`.

Metrics become scalars at their step; the configuration, samples and the verdict become text.
"""

import json
from collections.abc import Mapping

from learn_llm.errors import MissingError, UserError
from learn_llm.events import Event, Metrics, Sample, Start, Verdict


class TensorBoardLog:
    """Takes the events of one run.

    Raises MissingError where tensorboard is not installed, UserError where the folder cannot be written.
    """

    def __init__(self, folder: str) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingError("--log-dir needs tensorboard: pip install 'learn-llm[tensorboard]'") from None
        try:
            self._writer = SummaryWriter(folder, flush_secs=10)
        except OSError as error:
            raise UserError(f"--log-dir {folder} cannot be written: {error.strerror}") from None
        self._step = 0
        self._samples = 0

    def show(self, event: Event) -> None:
        """One event; stages, notes, tables and charts are left out."""
        if isinstance(event, Metrics):
            self._samples *= event.step == self._step
            self._step = event.step
            for name, value in event.values.items():
                self._writer.add_scalar(name, value, event.step)
        elif isinstance(event, Start):
            self._text("config", verbatim(json.dumps(dict(event.config), indent=2, ensure_ascii=False)))
        elif isinstance(event, Sample):
            self._samples += 1
            said = f"prompt:\n\n{verbatim(event.prompt)}\n\nresponse:\n\n{verbatim(event.response)}"
            self._text(f"sample/{self._samples}", said + numbers(event.scores))
        elif isinstance(event, Verdict):
            said = f"{event.claim}: **{'holds' if event.holds else 'does not hold'}**"
            self._text("verdict", said + numbers(event.measured))

    def close(self) -> None:
        """Writes out what waits."""
        self._writer.close()

    def _text(self, name: str, markdown: str) -> None:
        self._writer.add_text(name, markdown, self._step)


def verbatim(text: str) -> str:
    """A text as Markdown that shows it as it stands.

    >>> verbatim("a * b\\nc")
    '    a * b\\n    c'
    """
    return "\n".join(f"    {line}" for line in text.splitlines())


def numbers(values: Mapping[str, float]) -> str:
    """Numbers as a table in Markdown, behind a blank line; nothing where there are none.

    >>> numbers({"gold": 0.25})
    '\\n\\n| measured | value |\\n|---|---|\\n| gold | 0.25 |'
    """
    rows = "".join(f"\n| {name} | {value:.4g} |" for name, value in values.items())
    return f"\n\n| measured | value |\n|---|---|{rows}" if rows else ""
