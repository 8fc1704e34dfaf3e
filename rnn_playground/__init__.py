"""See inside recurrent networks: `rnn_playground.engine` is the science, `rnn_playground.app` the screen.

Importing this package loads nothing.
"""
