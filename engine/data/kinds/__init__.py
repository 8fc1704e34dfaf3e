"""From a table, or texts, to the content of one kind: a file each."""
