# SPDX-License-Identifier: Apache-2.0
"""The editor without its page: open files, their history, and what a person is shown."""
