"""Who may ask, how much, and how a refusal is told: shared by the API and the relay."""
