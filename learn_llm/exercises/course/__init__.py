"""The bundled course: info.toml says its order; an exercise is NAME.toml (its texts) and NAME.py (what judges it)."""
