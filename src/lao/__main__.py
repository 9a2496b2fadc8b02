# SPDX-License-Identifier: Apache-2.0
"""`python -m lao`, and the `lao` command."""

from lao.cli.main import main

if __name__ == "__main__":
    main()
