"""Maps that a trained decoder makes of ground: the job, the facts of a map, its picture."""
