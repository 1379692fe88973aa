"""Public links: evidence that the outside world may see for a while."""
