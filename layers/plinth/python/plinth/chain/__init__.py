"""What the chain decides: which model, which prompt, what a reply means, when an answer may be given again. No I/O."""
