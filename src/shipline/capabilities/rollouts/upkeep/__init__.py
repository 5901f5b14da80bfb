"""What becomes of an environment beside its rollouts: drift, mending, drills, rehearsals, its coming and going."""
