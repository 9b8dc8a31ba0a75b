"""How fast, how small: `make bench`.  Rates and CPU per operation, beside the goals; every run ends by itself."""
