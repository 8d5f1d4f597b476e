"""`python -m trivet_sentinel FILE [--option value ...]` is `trivet sentinel`."""

import sys

from trivet_sentinel.shell import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
