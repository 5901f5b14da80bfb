"""`python -m shipline`, where the program `shipline` is not on PATH."""

from shipline.apps.cli.main import main

main()
