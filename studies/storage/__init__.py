"""Where a study is kept, whole after any interruption and small however long it runs."""
