"""What memory decides: how a document is told apart, split and ranked. No I/O."""
