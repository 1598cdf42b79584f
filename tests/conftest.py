"""What every test shares: bandcast is compiled once, hears signals, and no example is timed."""

import os
import signal

from hypothesis import settings

# Build machines often forbid compiled files; then each of a thousand commands compiles it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no failure. The rest stays as it is by default, and by hypothesis' own for CI.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")

# What a shell's background or nohup ignores, the commands of tests would ignore as well; of a
# handler they inherit nothing.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
