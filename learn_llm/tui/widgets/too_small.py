"""What is shown instead of everything else where the terminal is too small."""

from textual.content import Content
from textual.widget import Widget

from learn_llm.quizzes.texts import Texts

WIDTH, HEIGHT = 60, 18


class TooSmall(Widget):
    """Says what size there is and what size is needed; the style sheet shows it below that size."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Content:
        """The message, with the size as it is now."""
        width, height = self.screen.size
        return Content(self.texts("small", width=width, height=height, need_width=WIDTH, need_height=HEIGHT))
