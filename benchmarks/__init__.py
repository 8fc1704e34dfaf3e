"""Speeds and sizes as ratios, measured side by side in one run. BENCHMARKS.md has the results."""
