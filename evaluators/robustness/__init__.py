"""What a candidate's robust accuracy is at worst, and whether the number can be believed."""
