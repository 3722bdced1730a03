"""What an accuracy under attack is worth: the worst case, its lower bound, and the rules that doubt it."""
