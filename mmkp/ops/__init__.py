"""Pure functions on tensors and arrays: no registry, config or file."""
