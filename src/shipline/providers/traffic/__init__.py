"""Traffic providers: splitters in front of the instances of one environment."""
