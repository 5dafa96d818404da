"""The command line: commands and their answers; it calls the package and repeats none of it."""

from qednas.cli.commands import main

__all__ = ["main"]
