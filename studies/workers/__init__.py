"""Several processes at work on one study: who does what, and who still lives."""
