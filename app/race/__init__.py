"""The race behind the page "Compare": its lanes in lockstep, its link, who owns which, and what the page says."""
