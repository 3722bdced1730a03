"""How a member is trained."""
