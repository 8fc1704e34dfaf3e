"""Speeds and sizes as ratios, measured side by side in one run. What they printed stands in BENCHMARKS.md."""
