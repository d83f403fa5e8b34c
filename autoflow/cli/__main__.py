"""`python -m autoflow.cli`, the same as `autoflow`."""

import sys

from autoflow.cli import main

sys.exit(main())
