"""`python -m eventsnn` is the command `eventsnn`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
