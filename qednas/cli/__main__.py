"""``python -m qednas.cli``."""

import sys

from qednas.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
