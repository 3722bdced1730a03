"""One configuration to take home: what it must meet, which rule chooses it, and its lock file."""
