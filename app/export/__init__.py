"""What a run can be taken away as: files over HTTP, and the card that offers them."""
