"""The commands, one module each; `execute(args)` does it and returns the exit status."""
