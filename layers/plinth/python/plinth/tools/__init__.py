"""What a model may do beside writing: one module per tool, and the box that holds them."""
