"""The themes of the quiz, beside those that Textual brings."""

from textual.theme import Theme


def _theme(name: str, dark: bool, ground: tuple[str, str, str, str], colours: dict[str, str]) -> Theme:
    """A theme whose text colours are its colours themselves: these were chosen for their contrast with the ground."""
    foreground, background, surface, panel = ground
    return Theme(
        name=name,
        dark=dark,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            "footer-background": surface,
            **{f"text-{role}": colour for role, colour in colours.items()},
        },
        primary=colours["primary"],
        secondary=colours["secondary"],
        accent=colours["accent"],
        success=colours["success"],
        warning=colours["warning"],
        error=colours["error"],
    )


DARK = _theme(
    "learn-llm-dark",
    True,
    ("#d9dee6", "#14171c", "#1a1e25", "#222832"),
    {
        "primary": "#7db8f7",
        "secondary": "#9fd6c5",
        "accent": "#f0b86a",
        "success": "#8fd3a0",
        "warning": "#efc66b",
        "error": "#f28b82",
    },
)

LIGHT = _theme(
    "learn-llm-light",
    False,
    ("#22272e", "#fbfaf7", "#f1efe9", "#e5e2d9"),
    {
        "primary": "#1d5fb4",
        "secondary": "#1f6f5c",
        "accent": "#9a5a00",
        "success": "#1f7a3a",
        "warning": "#8a6200",
        "error": "#b3261e",
    },
)

CONTRAST = _theme(
    "learn-llm-contrast",
    True,
    ("#ffffff", "#000000", "#000000", "#1c1c1c"),
    {
        "primary": "#7fd4ff",
        "secondary": "#9dffb0",
        "accent": "#ffd75f",
        "success": "#7dff8a",
        "warning": "#ffd75f",
        "error": "#ff9e9e",
    },
)

OWN = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}
