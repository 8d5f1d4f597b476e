"""What this node says that it is."""

import os
import sys
from importlib.metadata import version
from typing import Final

from trivet_node import keyspace

TRIVET_VERSION: Final = version("trivet")
# Compiled modules are shared libraries.
BUILD: Final = "interpreted" if (keyspace.__file__ or "").endswith(".py") else "compiled"
EXECUTABLE: Final = sys.executable
OPERATING_SYSTEM: Final = " ".join([os.uname().sysname, os.uname().release, os.uname().machine])
