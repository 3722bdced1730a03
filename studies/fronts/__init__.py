"""Points and fronts: what dominates what, how much, how surely, and how a front grew."""
