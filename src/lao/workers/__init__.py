# SPDX-License-Identifier: Apache-2.0
"""Processes that hold models, and how to talk to them."""
