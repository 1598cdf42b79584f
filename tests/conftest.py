"""What every test shares: commands find bandcast compiled, however the machine is set up."""

import os

# Build machines often forbid compiled files; then each of a thousand commands compiles it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
