# SPDX-License-Identifier: Apache-2.0
"""What will happen: a workflow, checked and resolved."""
