"""A run's files over HTTP, and the card that offers them."""
