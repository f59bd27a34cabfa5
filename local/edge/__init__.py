"""The edge on the laptop: what CloudFront and the relay are on AWS, in one process."""
