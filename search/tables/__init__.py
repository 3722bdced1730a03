"""What commands found, as tables on the screen, as JSON and as CSV."""
