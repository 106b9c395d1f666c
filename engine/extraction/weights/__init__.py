"""The encoder's weights of a run: fetched, drawn or kept with the store."""
