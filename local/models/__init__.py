"""The models that run on a laptop: where their files come from and how they are served."""
