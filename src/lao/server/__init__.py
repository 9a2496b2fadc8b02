# SPDX-License-Identifier: Apache-2.0
"""The loopback server of the editor's page."""
