"""What every search backend must do alike: the local engine, a real OpenSearch node, and any OPENSEARCH_URL."""
