"""`python -m search`: hands over to the command line."""

import sys

from search.cli import main

if __name__ == "__main__":
    sys.exit(main())
