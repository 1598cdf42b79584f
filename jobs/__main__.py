"""`python -m jobs`: what `bandcast` is, where its script is not at hand."""

from jobs.entry import main

main()
