"""`python -m gamekit` is the same as `gamekit`."""

from gamekit.cli import main

if __name__ == "__main__":
    main()
