"""``python -m collector.cli``: the same as ``bongsu``."""

import sys

from collector.cli import main

sys.exit(main())
