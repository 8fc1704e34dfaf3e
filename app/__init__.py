"""The screen of the playground. Nothing in `engine` knows that it exists."""
