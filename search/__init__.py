"""What a person types and sees: the command line, its tables and its pictures."""
