"""What a model call costs: prices, and integer micro-dollars made from them. Decisions only."""
