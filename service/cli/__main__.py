"""`python -m service.cli` is the `datagen` command."""

from service.cli import main

if __name__ == "__main__":
    main()
