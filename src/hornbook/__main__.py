"""`python -m hornbook` is the command line too."""

from hornbook.cli import main

main()
