"""Where trials and runs end early, and why."""
