"""A trained candidate as other programs run it: a graph of ordinary operations, and its weights in as few bits."""
