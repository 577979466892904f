"""The benchmarks: what they measure is what they say."""
