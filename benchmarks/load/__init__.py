"""Many visitors of one server, without browsers: what they take from it, and how long they wait."""
