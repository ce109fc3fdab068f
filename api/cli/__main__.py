"""`python -m api.cli WORD …`: how the supervisor starts its processes."""

import sys

from api.cli import main

if __name__ == "__main__":
    sys.exit(main())
