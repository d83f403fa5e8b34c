"""Making workflows better: the search loop, the optimizers, rewards, and what a search will take."""
