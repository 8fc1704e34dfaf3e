"""From bytes to a table or a text: encodings, delimiters, headers, and the formats that are not text."""
