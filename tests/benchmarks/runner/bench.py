"""How fast scripts run, as `skriptoteket bench --gate` prints it; `SKRIPTOTEKET_ENVIRONMENTS_DIR` brings pandas."""

import sys

from skriptoteket.manifest.command_line import main

if __name__ == "__main__":
    main(["bench", "--gate", *sys.argv[1:]])
