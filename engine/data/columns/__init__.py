"""What the columns of a table are: cells as numbers, as times, and a type for each column."""
