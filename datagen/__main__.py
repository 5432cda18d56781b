"""`python -m datagen` is the `datagen` command, the service's verbs included."""

from service.cli import main

if __name__ == "__main__":
    main()
