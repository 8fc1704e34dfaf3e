"""The data section of a script on somebody's own data."""
