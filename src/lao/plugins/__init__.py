# SPDX-License-Identifier: Apache-2.0
"""Plugins: kept in folders of their own, trusted by content, run in locked workers."""
