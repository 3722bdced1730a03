"""Rules by which one record of a front is chosen; each is one object behind one interface."""
