"""What every test shares: bandcast is compiled once, and no example of hypothesis is timed."""

import os

from hypothesis import settings

# Build machines often forbid compiled files; then each of a thousand commands compiles it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no failure. The rest stays as it is by default, and by hypothesis' own for CI.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")
