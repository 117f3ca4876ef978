"""The classroom: a course of exercises whose solutions are this package's own functions."""
