"""How fast, how small: `make bench`.  Rates and CPU per operation, beside the goals; every run ends by itself."""

from connectme import processor

processor.prefer()  # before anything loads OpenSSL, as in the processes of a server
