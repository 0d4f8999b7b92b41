"""`python -m parity`: the same as the command `parity`."""

from parity.cli.app import main

if __name__ == "__main__":
    main()
