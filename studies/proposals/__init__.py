"""Candidates that a study proposes itself: those that are expected to enlarge the front most for what they cost."""
