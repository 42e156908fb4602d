"""`python -m emotion_mt`: the command line."""

import sys

from emotion_mt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
