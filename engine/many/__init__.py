"""Many networks of one shape trained side by side, each as its own `Trainer` would train it."""
