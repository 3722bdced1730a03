"""The flags of every command, one module each, as the commands are; what they share is in `shared`."""
