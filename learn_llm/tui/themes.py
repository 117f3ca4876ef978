"""The two themes of the quiz, beside those that Textual brings."""

from textual.theme import Theme

DARK = Theme(
    name="learn-llm-dark",
    primary="#7db8f7",
    secondary="#9fd6c5",
    accent="#f0b86a",
    success="#8fd3a0",
    warning="#efc66b",
    error="#f28b82",
    foreground="#d9dee6",
    background="#14171c",
    surface="#1a1e25",
    panel="#222832",
    dark=True,
    variables={"footer-background": "#1a1e25"},
)

LIGHT = Theme(
    name="learn-llm-light",
    primary="#1d5fb4",
    secondary="#1f6f5c",
    accent="#9a5a00",
    success="#1f7a3a",
    warning="#8a6200",
    error="#b3261e",
    foreground="#22272e",
    background="#fbfaf7",
    surface="#f1efe9",
    panel="#e5e2d9",
    dark=False,
    variables={"footer-background": "#f1efe9"},
)
