# SPDX-License-Identifier: Apache-2.0
"""Proves on the user's machine that the locks hold: attempts at them, and controls."""
