# SPDX-License-Identifier: Apache-2.0
"""Batches: one plan carried out for each of many inputs, in memory that does not grow."""
