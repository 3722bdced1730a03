"""Workers of a run: processes on this host, actors on a cluster."""
