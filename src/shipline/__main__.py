"""`python -m shipline`, where the program `shipline` is not on PATH."""

from shipline.apps.cli.start import main

main()
