"""The server towards the world: where it can be reached, who may come in, what each may take, and how it is doing."""
