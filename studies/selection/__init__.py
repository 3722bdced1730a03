"""One configuration to take home: from what it is chosen, by which rule, how firmly, and what its lock file is told."""
