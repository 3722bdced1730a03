"""Tables of the four papers behind this project: their figures, and how to measure them again."""
