# SPDX-License-Identifier: Apache-2.0
"""Models that ship with LAO and need no download."""
