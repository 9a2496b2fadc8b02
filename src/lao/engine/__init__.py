# SPDX-License-Identifier: Apache-2.0
"""Making it happen: the scheduler, one step, one run."""
